//! Processes as tasks run them: what they are given, what they give back, how they are ended.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly, in its helpers too"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use tongban_expr::{Value, secret, value};
use tongban_org::Organisation;
use tongban_plugin::{
    Act, ActCall, Calendar, Failure, Found, HttpPort, HttpRequest, HttpResponse, Ports, Query,
    Record, Records, RegisterDefinition, Secrets, Source, Templates, async_trait,
};
use tongban_process::{Processes, plugin};

const NOW_MS: i64 = 1_772_413_200_000;

struct Nothing;

#[async_trait]
impl Records for Nothing {
    async fn definition(&self, _: &str) -> Result<Option<Arc<RegisterDefinition>>, Failure> {
        Ok(None)
    }
    async fn source(&self, _: &str) -> Result<Source, Failure> {
        Err(Failure::runtime("no registers here"))
    }
    async fn get(&self, _: &str, _: &[String]) -> Result<Vec<Record>, Failure> {
        Ok(Vec::new())
    }
    async fn by_key(&self, _: &str, _: &str, _: &[String]) -> Result<Vec<Record>, Failure> {
        Ok(Vec::new())
    }
    async fn find(&self, _: &str, _: &Query) -> Result<Found, Failure> {
        Ok(Found::default())
    }
    async fn draw(&self, _: &str, _: u32) -> Result<i64, Failure> {
        Ok(1)
    }
}

#[async_trait]
impl HttpPort for Nothing {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, Failure> {
        Err(Failure::configuration("no hosts here"))
    }
}

impl Calendar for Nothing {
    fn end_of_day_ms(&self, _: &str) -> Option<i64> {
        None
    }
    fn date(&self, _: i64) -> String {
        String::new()
    }
}

impl Templates for Nothing {
    fn render(&self, _: &str, _: &str, _: &Value) -> Result<String, Failure> {
        Ok(String::new())
    }
}

impl Secrets for Nothing {
    fn reveal(&self, name: &str) -> Option<Value> {
        (name == "token").then(|| value!("s3cret"))
    }
}

fn act(settings: &str, name: &str) -> Arc<dyn Act> {
    let processes: Processes = serde_yaml::from_str(settings).expect("settings");
    assert_eq!(processes.faults("run"), Vec::<String>::new());
    let plugin = plugin(&processes);
    let mut acts = plugin.acts.into_iter();
    acts.find(|act| act.signature().name == name)
        .expect("an allowed function")
}

async fn perform_within(
    act: &dyn Act,
    args: &Value,
    deadline_ms: Option<i64>,
    attempt: u32,
) -> Result<Value, Failure> {
    let nothing = Arc::new(Nothing);
    let ports = Ports {
        records: nothing.clone(),
        directory: Arc::new(Organisation::default()),
        http: nothing.clone(),
        calendar: nothing.clone(),
        templates: nothing.clone(),
    };
    let call = ActCall {
        function: &act.signature().name,
        instance: "i1",
        run_id: "report",
        workflow: "city/monthly",
        unit: None,
        key: "key-of-the-act",
        attempt,
        deadline_ms: deadline_ms.map(|left| NOW_MS + left),
        now_ms: NOW_MS,
        nonce: "n0nce",
        secrets: &*nothing,
        ports: &ports,
    };
    act.perform(args, &call).await
}

async fn shell(args: Value) -> Result<Value, Failure> {
    let act = act("shell: { allowed: ['*'], secrets: [token] }", "run.shell");
    perform_within(&*act, &args, None, 0).await
}

#[test]
fn a_site_that_says_nothing_has_no_processes() {
    assert_eq!(plugin(&Processes::default()).signatures().count(), 0);
}

/// The example of the reference.
#[tokio::test]
async fn input_and_arguments_of_the_reference() {
    let args = value!({
        "command": "input=$(cat)\necho \"STDIN was: $input\"\necho \"ARGS are $1 $2\"\n",
        "stdin": "Hello World", "arguments": ["Foo", "Bar baz"],
    });
    assert_eq!(
        shell(args).await,
        Ok(value!("STDIN was: Hello World\nARGS are Foo Bar baz\n"))
    );
}

#[tokio::test]
async fn what_is_returned() {
    let command = "echo out; echo err >&2; exit 3";
    for (returned, expected) in [
        ("code", value!(3)),
        ("stderr", value!("err\n")),
        (
            "all",
            value!({ "code": 3, "stdout": "out\n", "stderr": "err\n" }),
        ),
    ] {
        let args = value!({ "command": (command), "return": (returned) });
        assert_eq!(shell(args).await, Ok(expected), "{returned}");
    }
    for returned in ["stdout", "none"] {
        let args = value!({ "command": (command), "return": (returned) });
        let failure = shell(args).await.expect_err("a failed process");
        assert_eq!((failure.kind.name(), failure.status), ("runtime", 500));
        assert_eq!(failure.extra, value!({ "code": 3, "stderr": "err\n" }));
    }
    let args = value!({ "command": "echo out", "return": "none" });
    assert_eq!(shell(args).await, Ok(Value::Null));
}

#[tokio::test]
async fn nothing_is_inherited_and_the_key_is_known() {
    let args = value!({ "command": "env | sort", "environment": { "COLOUR": "red" } });
    let told = shell(args).await.expect("the environment");
    let told = told.as_str().expect("a text").to_owned();
    let names: Vec<&str> = told
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| !["_", "PWD", "OLDPWD", "SHLVL"].contains(name))
        .collect();
    assert_eq!(
        names,
        [
            "COLOUR",
            "LANG",
            "PATH",
            "TONGBAN_ATTEMPT",
            "TONGBAN_IDEMPOTENCY_KEY",
            "TONGBAN_INSTANCE",
            "TONGBAN_TASK",
            "TONGBAN_WORKFLOW"
        ]
    );
    assert!(told.contains("TONGBAN_IDEMPOTENCY_KEY=key-of-the-act"));
}

#[tokio::test]
async fn a_folder_of_its_own_that_goes_away() {
    let args = value!({ "command": "pwd; echo x > file; ls" });
    let told = shell(args).await.expect("a folder");
    let told = told.as_str().expect("a text");
    let (folder, files) = told.split_once('\n').expect("two lines");
    assert_eq!(files, "file\n");
    assert!(!Path::new(folder).exists(), "{folder}");
}

#[tokio::test]
async fn secrets_only_where_the_site_lets_them() {
    let args = value!({
        "command": "echo $TOKEN", "environment": { "TOKEN": (secret::marker("token", "n0nce")) },
    });
    assert_eq!(shell(args.clone()).await, Ok(value!("s3cret\n")));
    let act = act("shell: { allowed: ['*'] }", "run.shell");
    let failure = perform_within(&*act, &args, None, 0)
        .await
        .expect_err("not listed");
    assert_eq!(failure.status, 403);
}

#[tokio::test]
async fn only_what_the_site_lists() {
    let act = act("shell: { allowed: [echo] }", "run.shell");
    let run = async |command: &str| {
        let args = value!({ "command": (command), "arguments": ["$HOME; id"] });
        perform_within(&*act, &args, None, 0).await
    };
    assert_eq!(run("echo a").await, Ok(value!("a $HOME; id\n")));
    for command in ["id", "echo a; id", "echo $(id)"] {
        let failure = run(command).await.expect_err("not listed");
        assert_eq!(
            (failure.kind.name(), failure.status),
            ("authorization", 403)
        );
    }
}

/// A process group ends as a whole: the marker that a grandchild would write later never comes.
#[tokio::test]
async fn the_time_is_over_for_the_whole_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let (started, mark) = (folder.path().join("started"), folder.path().join("mark"));
    let command = format!(
        "(echo $$ > {}; sleep 30; touch {}) & wait",
        started.display(),
        mark.display()
    );
    let act = act("shell: { allowed: ['*'] }", "run.shell");
    let args = value!({ "command": (command) });
    let failure = perform_within(&*act, &args, Some(500), 0)
        .await
        .expect_err("its time is over");
    assert_eq!((failure.kind.name(), failure.status), ("timeout", 408));
    let group = std::fs::read_to_string(&started).expect("it had begun");
    assert_gone(group.trim()).await;
    assert!(!mark.exists());
}

/// Waits until no process of a group is left; a killed one may still be reaped.
async fn assert_gone(group: &str) {
    for _ in 0..500 {
        let left = tokio::process::Command::new("pgrep")
            .args(["-g", group])
            .output()
            .await
            .expect("pgrep runs");
        if left.stdout.is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("processes of the group {group} are left");
}

#[tokio::test]
async fn dropping_it_kills_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let started = folder.path().join("started");
    let command = format!("echo $$ > {}; sleep 30", started.display());
    let act = act("shell: { allowed: ['*'] }", "run.shell");
    let args = value!({ "command": (command) });
    let begun = async {
        while std::fs::read_to_string(&started).map_or(true, |text| !text.ends_with('\n')) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        result = perform_within(&*act, &args, None, 0) => panic!("it ended: {result:?}"),
        () = begun => {}
    }
    let group = std::fs::read_to_string(&started).expect("it had begun");
    assert_gone(group.trim()).await;
    assert!(act.is_interruptible());
}

#[tokio::test]
async fn what_it_leaves_running_does_not_hold_it() {
    let args = value!({ "command": "sleep 30 & echo done" });
    assert_eq!(shell(args).await, Ok(value!("done\n")));
}

#[tokio::test]
async fn it_may_not_write_without_end() {
    let act = act(
        "shell: { allowed: ['*'], limits: { outputBytes: 1000 } }",
        "run.shell",
    );
    for command in ["yes", "yes >&2"] {
        let args = value!({ "command": (command), "return": "all" });
        let failure = perform_within(&*act, &args, None, 0)
            .await
            .expect_err("too much");
        assert!(failure.detail.contains("1000 bytes"), "{failure}");
    }
}

#[tokio::test]
async fn a_task_that_does_not_wait_goes_on_when_it_has_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("mark");
    let args = value!({ "command": (format!("echo x > {}", mark.display())), "await": false });
    assert_eq!(shell(args).await, Ok(Value::Null));
    while std::fs::read_to_string(&mark).map_or(true, |text| text.is_empty()) {
        tokio::task::yield_now().await;
    }
    let act = act("shell: { allowed: [/no/such/program] }", "run.shell");
    let args = value!({ "command": "/no/such/program", "await": false });
    let failure = perform_within(&*act, &args, None, 0)
        .await
        .expect_err("it never started");
    assert_eq!(failure.kind.name(), "configuration");
}

/// A program in Docker's place that notes how it was called.
fn docker(folder: &Path, script: &str) -> String {
    let program = folder.join("docker");
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n{script}\n",
        folder.join("calls").display()
    );
    std::fs::write(&program, text).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("executable");
    format!(
        "container: {{ runtime: docker, program: {}, images: ['alpine:3.20', 'city/tool:*'], volumes: [/srv/shared], secrets: [token], options: ['--memory=64m'] }}",
        program.display()
    )
}

fn calls(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("calls")).unwrap_or_default()
}

#[tokio::test]
async fn a_container_is_run_as_the_task_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = docker(folder.path(), "cat; echo \" $COLOUR\"");
    let act = act(&settings, "run.container");
    let args = value!({
        "image": "city/tool:2", "command": "cat", "arguments": ["Foo", "Bar"], "stdin": "hello",
        "environment": { "COLOUR": (secret::marker("token", "n0nce")) },
        "volumes": { "/srv/shared/in": "/in" }, "pullPolicy": "always",
        "lifetime": { "cleanup": "always" }, "name": "monthly report",
    });
    assert_eq!(
        perform_within(&*act, &args, None, 0).await,
        Ok(value!("hello s3cret\n"))
    );
    let called = calls(folder.path());
    for word in [
        "run --interactive --name=monthly-report",
        "--label=tongban.key=key-of-the-act",
        "--pull=always",
        "--network=none",
        "--rm",
        "--memory=64m",
        "--env=COLOUR ",
        "--env=TONGBAN_IDEMPOTENCY_KEY",
        "--volume=/srv/shared/in:/in city/tool:2 sh -c cat sh Foo Bar",
    ] {
        assert!(called.contains(word), "`{word}` in {called}");
    }
    assert!(
        !called.contains("s3cret"),
        "no secret in the words of a process"
    );
    // The name that the language recommends stands in for one that is not given, and containers stay by default.
    let plain = value!({ "image": "alpine:3.20" });
    assert!(perform_within(&*act, &plain, None, 0).await.is_ok());
    let called = calls(folder.path());
    let last = called.lines().last().expect("a call");
    assert!(
        last.contains("--name=monthly-i1.city-report ") && !last.contains("--rm"),
        "{last}"
    );
    assert!(last.ends_with(" alpine:3.20"), "{last}");
}

#[tokio::test]
async fn containers_that_the_site_does_not_allow() {
    let folder = tempfile::tempdir().expect("a folder");
    let act = act(&docker(folder.path(), ""), "run.container");
    let image = value!({ "image": "alpine:3.20" });
    for (args, status) in [
        (value!({ "image": "alpine" }), 403),
        (value!({ "image": "city/tools:1" }), 403),
        (value!({ "image": "--privileged" }), 403),
        (
            image.clone().with("volumes", value!({ "/etc": "/in" })),
            403,
        ),
        (
            image
                .clone()
                .with("volumes", value!({ "/srv/shared/../../etc": "/in" })),
            403,
        ),
        (
            image
                .clone()
                .with("volumes", value!({ "/srv/shared": "/in:rw" })),
            400,
        ),
        (image.clone().with("ports", value!({ "8080": 80 })), 403),
        (image.clone().with("pullPolicy", "sometimes"), 400),
        (
            image
                .clone()
                .with("environment", value!({ "DOCKER_HOST": "tcp://evil" })),
            400,
        ),
    ] {
        let failure = perform_within(&*act, &args, None, 0)
            .await
            .expect_err("not allowed");
        assert_eq!(failure.status, status, "{} {failure}", args.to_json());
    }
    assert_eq!(calls(folder.path()), "");
}

#[tokio::test]
async fn a_container_ends_with_its_time_and_a_former_one_goes_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = docker(
        folder.path(),
        "case $1 in run) sleep 30;; ps) echo c0ffee;; esac",
    );
    let act = act(&settings, "run.container");
    let args = value!({ "image": "alpine:3.20", "name": "slow" });
    let failure = perform_within(&*act, &args, Some(500), 1)
        .await
        .expect_err("its time is over");
    assert_eq!(failure.status, 408);
    while !calls(folder.path()).contains("kill slow") {
        tokio::task::yield_now().await;
    }
    let called = calls(folder.path());
    let lines: Vec<&str> = called.lines().collect();
    assert!(
        lines[0].starts_with("ps --all --quiet --filter label=tongban.key=key-of-the-act"),
        "{called}"
    );
    assert_eq!(lines[1], "rm --force c0ffee");
    assert!(lines[2].starts_with("run "), "{called}");
}
