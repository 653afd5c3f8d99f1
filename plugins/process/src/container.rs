//! `run: { container }`: by the program of Docker or Podman.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Command;
use tongban_expr::{Value, value};
use tongban_plugin::{Act, ActCall, Failure, Kind, Signature, Title};

use crate::arguments::{Arguments, needed, revealed, text, unfit};
use crate::child::Program;
use crate::lifetime::Cleanup;
use crate::run::{circumstances, run};
use crate::settings::Containers;

/// What names the act in a container's labels.
const LABEL: &str = "tongban.key";

pub(crate) struct RunContainer {
    signature: Signature,
    containers: Containers,
}

impl RunContainer {
    pub(crate) fn new(containers: Containers) -> Self {
        let signature = Signature::new(
            "run.container",
            Kind::Act,
            Title::new("运行容器", "Container"),
        )
        .summary("Runs a container of an image that the site allows.")
        .arguments(value!({
            "type": "object",
            "required": ["image"],
            "properties": {
                "image": { "type": "string" }, "name": { "type": ["string", "null"] },
                "command": { "type": ["string", "null"] }, "arguments": { "type": ["array", "null"] },
                "environment": { "type": ["object", "null"] }, "stdin": true,
                "ports": { "type": ["object", "null"] }, "volumes": { "type": ["object", "null"] },
                "lifetime": { "type": ["object", "null"] },
                "pullPolicy": { "enum": ["ifNotPresent", "always", "never"] },
                "await": { "type": "boolean" },
                "return": { "enum": ["stdout", "stderr", "code", "all", "none"] },
            },
            "additionalProperties": false,
        }));
        Self {
            signature,
            containers,
        }
    }

    fn program(&self) -> PathBuf {
        let program = self.containers.program.clone();
        program.unwrap_or_else(|| PathBuf::from(self.containers.runtime.word()))
    }

    /// A command of the program itself.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command
            .args(arguments)
            .env_clear()
            .envs(self.own_environment())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        command
    }

    /// Ends a container, also from where nothing can be waited for.
    fn killing(&self, name: &str) -> std::process::Command {
        let mut command = std::process::Command::new(self.program());
        command
            .args(["kill", name])
            .env_clear()
            .envs(self.own_environment())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        command
    }

    fn own_environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())];
        let given = self.containers.environment.iter();
        environment.extend(given.map(|(name, value)| (name.clone(), value.clone())));
        environment
    }

    /// The words of `docker run` for a task.
    fn words(
        &self,
        args: &Value,
        arguments: &Arguments,
        name: &str,
        cleanup: Cleanup,
        call: &ActCall<'_>,
    ) -> Result<Vec<String>, Failure> {
        let image = needed(args, "image")?;
        guard_image(&image, &self.containers.images)?;
        let pull = match args.text("pullPolicy") {
            None | Some("ifNotPresent") => "missing",
            Some(policy @ ("always" | "never")) => policy,
            Some(other) => {
                return Err(Failure::configuration(format!(
                    "`pullPolicy` is ifNotPresent, always or never, found `{other}`"
                )));
            }
        };
        let mut words = vec![
            "run".to_owned(),
            "--interactive".to_owned(),
            format!("--name={name}"),
            format!("--label={LABEL}={}", call.key),
            format!("--pull={pull}"),
            format!("--network={}", self.containers.network),
            "--security-opt=no-new-privileges".to_owned(),
        ];
        if cleanup == Cleanup::Always {
            words.push("--rm".to_owned());
        }
        words.extend(self.containers.options.iter().cloned());
        // Values stand in the program's environment, where other users of the machine do not see them.
        let told = circumstances(call);
        for (name, value) in arguments.environment.iter().chain(&told) {
            words.push(if is_read_by_program(name) {
                format!("--env={name}={value}")
            } else {
                format!("--env={name}")
            });
        }
        words.extend(self.volumes(args.get("volumes"))?);
        words.extend(self.ports(args.get("ports"))?);
        words.push(image);
        if let Some(command) = args.get("command").filter(|command| !command.is_null()) {
            words.extend([
                "sh".to_owned(),
                "-c".to_owned(),
                text(command)?,
                "sh".to_owned(),
            ]);
        }
        words.extend(arguments.arguments.iter().cloned());
        Ok(words)
    }

    fn volumes(&self, volumes: Option<&Value>) -> Result<Vec<String>, Failure> {
        let mut words = Vec::new();
        for (from, to) in entries(volumes, "volumes")? {
            let path = Path::new(&from);
            let climbs = path.components().any(|part| part == Component::ParentDir);
            let listed = self
                .containers
                .volumes
                .iter()
                .any(|folder| path.starts_with(folder));
            if climbs || !listed || from.contains(':') {
                return Err(Failure::authorization(format!(
                    "the site does not let containers have the folder `{from}`; it lists them under `run.container.volumes`"
                )));
            }
            if !to.starts_with('/') || to.contains(':') {
                return Err(Failure::configuration(format!(
                    "a volume leads to an absolute path in the container, found `{to}`"
                )));
            }
            words.push(format!("--volume={from}:{to}"));
        }
        Ok(words)
    }

    fn ports(&self, ports: Option<&Value>) -> Result<Vec<String>, Failure> {
        let mut words = Vec::new();
        for (outside, inside) in entries(ports, "ports")? {
            if !self.containers.ports {
                return Err(Failure::authorization(
                    "the site does not let containers publish ports; it allows them by `run.container.ports`",
                ));
            }
            let numbers = [&outside, &inside].map(|port| port.parse::<u16>());
            let [Ok(outside), Ok(inside)] = numbers else {
                return Err(Failure::configuration(format!(
                    "ports are numbers, found `{outside}: {inside}`"
                )));
            };
            words.push(format!("--publish=127.0.0.1:{outside}:{inside}"));
        }
        Ok(words)
    }

    /// An attempt that was cut off may have left its container behind, running or not.
    async fn remove_former(&self, call: &ActCall<'_>) {
        let filter = format!("label={LABEL}={}", call.key);
        let mut list = self.command(&["ps", "--all", "--quiet", "--filter", &filter]);
        list.stdout(std::process::Stdio::piped());
        let Ok(listed) = list.output().await else {
            return;
        };
        for id in String::from_utf8_lossy(&listed.stdout).split_whitespace() {
            let removed = self.command(&["rm", "--force", id]).status().await;
            if let Err(error) = removed {
                tracing::warn!(id, %error, "a former container could not be removed");
            }
        }
    }
}

#[async_trait]
impl Act for RunContainer {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn is_interruptible(&self) -> bool {
        true
    }

    async fn perform(&self, args: &Value, call: &ActCall<'_>) -> Result<Value, Failure> {
        let args = revealed(args, call, &self.containers.secrets)?;
        let arguments = Arguments::of(&args)?;
        let cleanup = Cleanup::of(args.get("lifetime"))?;
        let name = name_of(&args, call)?;
        let words = self.words(&args, &arguments, &name, cleanup, call)?;
        if call.attempt > 0 {
            self.remove_former(call).await;
        }
        // What the program itself is told wins.
        let mut environment: Vec<(String, String)> = arguments.environment.clone();
        environment.retain(|(name, _)| !is_read_by_program(name));
        environment.extend(circumstances(call));
        environment.extend(self.own_environment());
        let program = Program {
            program: self.program(),
            arguments: words,
            environment,
            stdin: arguments.stdin.clone(),
        };
        // Killing the program leaves its container running: whatever ends this early ends that too.
        let mut guard = Stopping(Some(self.killing(&name)));
        let mut killing = self.killing(&name);
        let remove = self.command(&["rm", "--force", &name]);
        let after = move |by_itself: bool| {
            if !by_itself {
                stop(&mut killing);
            }
            clean(cleanup, remove);
        };
        let result = run(program, &arguments, &self.containers.limits, call, after).await;
        guard.0 = None;
        result
    }
}

/// Kills a container when it is dropped.
struct Stopping(Option<std::process::Command>);

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(command) = &mut self.0 {
            stop(command);
        }
    }
}

fn stop(command: &mut std::process::Command) {
    if let Err(error) = command.spawn() {
        tracing::warn!(%error, "a container could not be stopped");
    }
}

/// Variables that the programs read themselves: for a container they are given by value.
fn is_read_by_program(name: &str) -> bool {
    let starts = ["XDG_", "REGISTRY_", "STORAGE_", "SSL_"];
    name == "HOME"
        || name == "TMPDIR"
        || name.to_ascii_uppercase().ends_with("_PROXY")
        || starts.iter().any(|start| name.starts_with(start))
}

/// Removes a container later. A process that ends before leaves the container to the site.
fn clean(cleanup: Cleanup, mut remove: Command) {
    let Cleanup::After(after) = cleanup else {
        return;
    };
    tokio::spawn(async move {
        tokio::time::sleep(after.min(Duration::from_secs(7 * 86_400))).await;
        if let Err(error) = remove.status().await {
            tracing::warn!(%error, "a container could not be removed");
        }
    });
}

fn guard_image(image: &str, images: &[String]) -> Result<(), Failure> {
    let listed = images.iter().any(|known| match known.strip_suffix(":*") {
        Some(name) => image
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':')),
        None => known == image,
    });
    if listed && !image.starts_with('-') && !image.contains(char::is_whitespace) {
        return Ok(());
    }
    Err(Failure::authorization(format!(
        "the site does not allow the image `{image}`; it lists them under `run.container.images`"
    )))
}

/// The task's name of the container, or one that says where it comes from; only what the programs take.
fn name_of(args: &Value, call: &ActCall<'_>) -> Result<String, Failure> {
    let given = match args.get("name") {
        None | Some(Value::Null) => {
            let (namespace, name) = call.workflow.split_once('/').unwrap_or(("", call.workflow));
            format!("{name}-{}.{namespace}-{}", call.instance, call.run_id)
        }
        Some(name) => text(name)?,
    };
    let plain: String = given
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' => letter,
            _ => '-',
        })
        .take(200)
        .collect();
    let plain = plain.trim_start_matches(['.', '-', '_']);
    if plain.is_empty() {
        return Err(Failure::configuration(format!(
            "`{given}` is no name of a container"
        )));
    }
    Ok(plain.to_owned())
}

fn entries(map: Option<&Value>, name: &str) -> Result<Vec<(String, String)>, Failure> {
    match map {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(object @ Value::Obj(_)) => object
            .entries()
            .map(|(from, to)| Ok((from.to_string(), text(to)?)))
            .collect(),
        Some(other) => Err(unfit(name, "an object", other)),
    }
}
