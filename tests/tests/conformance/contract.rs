//! What scripts rely on: the options of `tongban run` and `tongban check`, what they print, and their exit codes.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::run::whole;

/// What the object of `run` has, in this order.
const MEMBERS: [&str; 5] = ["status", "output", "error", "tasks", "virtual_seconds"];
const ECHO: &str = "do: [ { a: { set: '${ . }' } } ]\n";
const HEAR: &str = "do: [ { l: { listen: { to: { any: [], until: '(. | length) == 3' } } } } ]\n";

/// A run of the binary in a folder of its own.
struct Call {
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    stdin: Option<String>,
}

struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Call {
    fn new(command: &str) -> Result<Self, Failed> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            arguments: vec![command.to_owned()],
            stdin: None,
        })
    }

    /// `run` of a document, for programs.
    fn run(document: &str) -> Result<Self, Failed> {
        Ok(Self::new("run")?
            .file("workflow.yaml", whole(document))?
            .with(&["--format", "json"]))
    }

    /// Writes a file and puts its path among the arguments.
    fn file(mut self, name: &str, text: impl AsRef<[u8]>) -> Result<Self, Failed> {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        self.arguments.push(path.display().to_string());
        Ok(self)
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|text| (*text).to_owned()));
        self
    }

    fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    fn done(self) -> Result<Done, Failed> {
        let mut child = Command::new(tongban_tests::binary())
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let text = self.stdin.unwrap_or_default();
        if let Some(mut pipe) = child.stdin.take() {
            // A command that does not read its input closes it.
            std::thread::spawn(move || pipe.write_all(text.as_bytes()));
        }
        let output = child.wait_with_output()?;
        let done = Done {
            code: output.status.code().ok_or("it was killed")?,
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        };
        if done.stderr.contains("panicked") || done.stdout.contains("panicked") {
            return Err(format!("it panicked: {}{}", done.stdout, done.stderr).into());
        }
        Ok(done)
    }
}

impl Done {
    /// The one object, with nothing beside it.
    fn object(&self) -> Result<Value, Failed> {
        let object: Value = serde_json::from_str(&self.stdout).map_err(|error| {
            format!(
                "expected one object, found {error}: {}{}",
                self.stdout, self.stderr
            )
        })?;
        let members: Vec<&String> = object
            .as_object()
            .map(|object| object.keys().collect())
            .unwrap_or_default();
        let mut wanted: Vec<&str> = MEMBERS.to_vec();
        // serde_json sorts the members of what it reads unless it was built to keep their order.
        if !members
            .iter()
            .zip(&wanted)
            .all(|(found, wanted)| found == wanted)
        {
            wanted.sort_unstable();
        }
        if members != wanted {
            return Err(format!("expected the members {MEMBERS:?}, found {members:?}").into());
        }
        if !self.stdout.ends_with('\n') || self.stdout.trim_end().contains('\n') {
            return Err(format!("expected one line, found {:?}", self.stdout).into());
        }
        Ok(object)
    }

    fn expect(&self, code: i32, output: &Value) -> Result<(), Failed> {
        let object = self.object()?;
        if self.code != code || object["output"] != *output {
            return Err(format!(
                "expected {code} with {output}, found {}: {}{}",
                self.code, self.stdout, self.stderr
            )
            .into());
        }
        Ok(())
    }

    /// Refused: exit code 2, and words that say why, wherever they are printed; never half an object.
    fn refused(&self, words: &str) -> Result<(), Failed> {
        let said = format!("{}{}", self.stdout, self.stderr);
        if self.code == 2 && said.to_lowercase().contains(&words.to_lowercase()) {
            return Ok(());
        }
        Err(format!("expected 2 and `{words}`, found {}: {said}", self.code).into())
    }
}

type Check = fn() -> Result<(), Failed>;

const CHECKS: &[(&str, Check)] = &[
    ("one object on one line, nothing beside it", || {
        let done = Call::run("do: [ { w: { wait: PT5S } }, { a: { set: { n: 1 } } } ]\n")?
            .with(&["--fast-forward"])
            .done()?;
        done.expect(0, &json!({ "n": 1 }))?;
        let object = done.object()?;
        let wanted = json!({
            "status": "completed",
            "output": { "n": 1 },
            "error": null,
            "tasks": [
                { "task": "/do/0/w", "name": "w", "status": "completed" },
                { "task": "/do/1/a", "name": "a", "status": "completed" },
            ],
            "virtual_seconds": 5,
        });
        if object != wanted || !done.stderr.is_empty() {
            return Err(format!("expected {wanted}, found {object}, {}", done.stderr).into());
        }
        Ok(())
    }),
    ("an error has all its members", || {
        let raise = "do: [ { a: { raise: { error: { type: 'https://x.org/e', status: 418, title: T, detail: D } } } } ]\n";
        let done = Call::run(raise)?.done()?;
        let wanted = json!({ "type": "https://x.org/e", "status": 418, "title": "T", "detail": "D", "instance": "/do/0/a" });
        done.expect(1, &Value::Null)?;
        match done.object()? {
            object if object["error"] == wanted && object["status"] == "faulted" => Ok(()),
            object => Err(format!("expected {wanted}, found {object}").into()),
        }
    }),
    ("the object is what is printed without --format too", || {
        Call::new("run")?
            .file("workflow.yaml", whole("do: [ { a: { set: { n: 1 } } } ]\n"))?
            .done()?
            .expect(0, &json!({ "n": 1 }))
    }),
    ("input from standard input", || {
        Call::run(ECHO)?
            .with(&["--input", "-"])
            .stdin("{\"n\": 1}")
            .done()?
            .expect(0, &json!({ "n": 1 }))
    }),
    ("input from standard input as YAML", || {
        Call::run(ECHO)?
            .with(&["--input", "-"])
            .stdin("n: 1\nl: [a, b]\n")
            .done()?
            .expect(0, &json!({ "n": 1, "l": ["a", "b"] }))
    }),
    ("no input on standard input is an empty object", || {
        Call::run(ECHO)?
            .with(&["--input", "-"])
            .done()?
            .expect(0, &json!({}))
    }),
    ("without --input standard input is left alone", || {
        Call::run(ECHO)?
            .stdin("{\"n\": 1}")
            .done()?
            .expect(0, &json!({}))
    }),
    ("input that is a text, a number, a list, null", || {
        for input in [
            json!("text"),
            json!(7),
            json!([1, [2]]),
            Value::Null,
            json!(false),
        ] {
            Call::run(ECHO)?
                .with(&["--input", "-"])
                .stdin(input.to_string())
                .done()?
                .expect(0, &input)?;
        }
        Ok(())
    }),
    (
        "input from a file with a byte order mark and Windows line ends",
        || {
            Call::run(ECHO)?
                .with(&["--input"])
                .file("input.yaml", "\u{feff}a: 1\r\nb: x\r\n")?
                .done()?
                .expect(0, &json!({ "a": 1, "b": "x" }))
        },
    ),
    ("a big input", || {
        let text = "长".repeat(1_000_000);
        let done = Call::run("do: [ { a: { set: '${ .t | length }' } } ]\n")?.with(&["--input"]);
        done.file("input.json", json!({ "t": text }).to_string())?
            .done()?
            .expect(0, &json!(1_000_000))
    }),
    ("input that cannot be read is refused", || {
        Call::run(ECHO)?
            .with(&["--input", "-"])
            .stdin("{\"a\": [1,")
            .done()?
            .refused("")?;
        Call::run(ECHO)?
            .with(&["--input"])
            .file("input.yaml", "a: [1\nb: }")?
            .done()?
            .refused("input.yaml")
    }),
    ("input that nests without end is refused", || {
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        Call::run(ECHO)?
            .with(&["--input", "-"])
            .stdin(deep)
            .done()?
            .refused("")
    }),
    ("an input that is not there is refused", || {
        Call::run(ECHO)?
            .with(&["--input", "nowhere.json"])
            .done()?
            .refused("nowhere.json")
    }),
    ("a document that is not there is refused", || {
        Call::new("run")?
            .with(&["nowhere.yaml", "--format", "json"])
            .done()?
            .refused("nowhere.yaml")
    }),
    ("a folder is no document", || {
        Call::new("run")?
            .with(&[".", "--format", "json"])
            .done()?
            .refused("")
    }),
    ("a file that is no YAML is refused", || {
        Call::new("run")?
            .file("w.yaml", "do: [")?
            .with(&["--format", "json"])
            .done()?
            .refused("TB01")
    }),
    ("a file of bytes is refused", || {
        Call::new("run")?
            .file("w.yaml", [0xff, 0xfe, 0, 1])?
            .done()?
            .refused("")
    }),
    ("an empty file is refused", || {
        Call::new("run")?.file("w.yaml", "")?.done()?.refused("")
    }),
    ("a document as JSON", || {
        let document = json!({
            "document": { "dsl": "1.0.3", "namespace": "test", "name": "json", "version": "1.0.0" },
            "do": [{ "a": { "set": { "n": 1 } } }],
        });
        Call::new("run")?
            .file("w.json", document.to_string())?
            .done()?
            .expect(0, &json!({ "n": 1 }))
    }),
    (
        "a document with a byte order mark and Windows line ends",
        || {
            let document =
                whole("do:\n  - a:\n      set:\n        t: |\n          one\n          two\n")
                    .replace('\n', "\r\n");
            Call::new("run")?
                .file("w.yaml", format!("\u{feff}{document}"))?
                .done()?
                .expect(0, &json!({ "t": "one\ntwo\n" }))
        },
    ),
    (
        "diagnostics of an invalid document are one JSON value",
        || {
            let done = Call::run("do: [ { a: { sett: { n: 1 } } } ]\n")?.done()?;
            done.refused("TB0")?;
            let told: Value = serde_json::from_str(&done.stdout)?;
            match told.as_array().and_then(|all| all.first()) {
                Some(first) if first["code"].is_string() && first["line"].is_u64() => Ok(()),
                _ => Err(format!("expected diagnostics, found {told}").into()),
            }
        },
    ),
    ("a document that is invalid runs nothing", || {
        let document = "do: [ { a: { set: { n: 1 } } }, { b: { set: { n: '${ .n + }' } } } ]\n";
        Call::run(document)?.done()?.refused("TB0401")
    }),
    ("an option that is not there is refused", || {
        Call::run(ECHO)?
            .with(&["--fast-backward"])
            .done()?
            .refused("--fast-backward")
    }),
    ("a run of nothing is refused", || {
        Call::new("run")?.done()?.refused("usage")
    }),
    ("a mapping of a host that is none is refused", || {
        for mapping in [
            "stub.example",
            "stub.example=nowhere",
            "=127.0.0.1:1",
            "stub.example=127.0.0.1:port",
        ] {
            Call::run(ECHO)?
                .with(&["--resolve", mapping])
                .done()?
                .refused("resolve")?;
        }
        Ok(())
    }),
    ("events of several files in their order", || {
        let done = Call::run(HEAR)?
            .with(&["--event"])
            .file("one.json", json!({ "type": "a", "data": 1 }).to_string())?;
        let done = done.with(&["--event"]).file(
            "two.yaml",
            "- { type: b, data: 2 }\n- { type: c, data: 3 }\n",
        )?;
        done.done()?.expect(0, &json!([1, 2, 3]))
    }),
    ("whole CloudEvents", || {
        let event = |id: u8| json!({ "specversion": "1.0", "id": id.to_string(), "source": "https://x.org", "type": "a", "datacontenttype": "application/json", "data": id });
        let events = json!([event(1), event(2), event(3)]);
        Call::run(HEAR)?
            .with(&["--event"])
            .file("events.json", events.to_string())?
            .done()?
            .expect(0, &json!([1, 2, 3]))
    }),
    ("events that are left over do no harm", || {
        let events = json!([{ "type": "a", "data": 1 }, { "type": "a", "data": 2 }]);
        Call::run("do: [ { l: { listen: { to: { one: { with: { type: a } } } } } } ]\n")?
            .with(&["--event"])
            .file("events.json", events.to_string())?
            .done()?
            .expect(0, &json!([1]))
    }),
    ("an event that is none is refused", || {
        Call::run(HEAR)?
            .with(&["--event"])
            .file("event.json", json!({ "data": 1 }).to_string())?
            .done()?
            .refused("type")?;
        Call::run(HEAR)?
            .with(&["--event", "nowhere.json"])
            .done()?
            .refused("nowhere.json")
    }),
    (
        "an instance that waits is told as waiting, with exit code 3",
        || {
            let done = Call::run(
                "do: [ { a: { set: { n: 1 } } }, { l: { listen: { to: { one: { with: { type: a } } } } } } ]\n",
            )?;
            let done = done.with(&["--fast-forward"]).done()?;
            let object = done.object()?;
            if done.code == 3
                && object["status"] == "waiting"
                && object["virtual_seconds"] == 0
                && object["output"].is_null()
                && object["error"].is_null()
            {
                return Ok(());
            }
            Err(format!("found {}: {object}", done.code).into())
        },
    ),
    ("without --fast-forward the clock stands still", || {
        let done = Call::run("do: [ { w: { wait: PT1H } } ]\n")?.done()?;
        let object = done.object()?;
        if done.code == 3 && object["status"] == "waiting" && object["virtual_seconds"] == 0 {
            return Ok(());
        }
        Err(format!("found {}: {object}", done.code).into())
    }),
    (
        "a loop with a wait that never ends is told as waiting",
        || {
            let document = "do: [ { a: { set: { n: '${ (.n // 0) + 1 }' } } }, { w: { wait: P1D, then: a } } ]\n";
            let done = Call::run(document)?.done()?;
            if done.code == 3 {
                Ok(())
            } else {
                Err(format!("found {}: {}", done.code, done.stdout).into())
            }
        },
    ),
    ("for people the text says the same", || {
        let done = Call::new("run")?
            .file("w.yaml", whole("do: [ { a: { set: { n: 1 } } } ]\n"))?
            .with(&["--format", "text"])
            .done()?;
        if done.code == 0 && done.stdout.contains("completed") && done.stdout.contains("/do/0/a") {
            return Ok(());
        }
        Err(format!("found {}: {}", done.code, done.stdout).into())
    }),
    ("check: exit 0 for a document that is well", || {
        let done = Call::new("check")?
            .file("w.yaml", whole(ECHO))?
            .with(&["--format", "json"])
            .done()?;
        let told: Value = serde_json::from_str(&done.stdout)?;
        if done.code == 0 && told == json!([]) {
            Ok(())
        } else {
            Err(format!("found {}: {told}", done.code).into())
        }
    }),
    ("check: exit 2 when one of several is not", || {
        let done = Call::new("check")?
            .file("well.yaml", whole(ECHO))?
            .file("ill.yaml", whole("do: []\nx: 1\n"))?;
        done.done()?.refused("ill.yaml")
    }),
    ("check: a file that is not there is refused", || {
        Call::new("check")?
            .with(&["nowhere.yaml"])
            .done()?
            .refused("nowhere.yaml")
    }),
];

/// A test for each.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, check): &(&str, Check)| {
        let check = *check;
        Trial::test(format!("contract: {name}"), check)
    };
    CHECKS.iter().map(trial).collect()
}
