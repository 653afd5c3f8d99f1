//! What a site allows: `run:` of its settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// Which processes workflows may run; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Processes {
    /// `run.shell`.
    pub shell: Option<Shell>,
    /// `run.container`.
    pub container: Option<Containers>,
}

/// Bounds of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Limits {
    /// Seconds until it is killed; 300 by default. A task's own timeout may be shorter.
    pub seconds: u64,
    /// The most bytes of its output, and as many of its errors; 1 MiB by default.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: 300,
            output_bytes: 1 << 20,
        }
    }
}

/// Which commands may be run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Shell {
    /// Programs by name or path, whole command texts, or `*` for every command.
    pub allowed: Vec<String>,
    /// Where programs are looked for.
    #[serde(default = "path_default")]
    pub path: String,
    /// Secrets that commands may be given; none by default.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Bounds of each.
    #[serde(default)]
    pub limits: Limits,
}

fn path_default() -> String {
    "/usr/local/bin:/usr/bin:/bin".to_owned()
}

/// What runs containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl Runtime {
    /// The program's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// Which containers may be run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Containers {
    /// What runs them.
    pub runtime: Runtime,
    /// The program, when it is not found by its name.
    pub program: Option<PathBuf>,
    /// Images, exactly as tasks name them; `registry/name:*` for every tag.
    pub images: Vec<String>,
    /// The network of containers; `none` by default.
    #[serde(default = "network_default")]
    pub network: String,
    /// Folders of this machine that may be mounted, those below them included; none by default.
    #[serde(default)]
    pub volumes: Vec<PathBuf>,
    /// Ports may be published; not by default.
    #[serde(default)]
    pub ports: bool,
    /// Further options of every run, such as `--memory=256m`.
    #[serde(default)]
    pub options: Vec<String>,
    /// Environment of the program itself (`DOCKER_HOST`, `XDG_RUNTIME_DIR`), never of containers.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Secrets that containers may be given; none by default.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Bounds of each.
    #[serde(default)]
    pub limits: Limits,
}

fn network_default() -> String {
    "none".to_owned()
}

impl Processes {
    /// What is wrong with the settings, all at once; `at` is where they stand.
    #[must_use]
    pub fn faults(&self, at: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(shell) = &self.shell {
            limits(&format!("{at}.shell"), &shell.limits, &mut faults);
            if shell.allowed.iter().any(|one| one.trim().is_empty()) {
                faults.push(format!(
                    "{at}.shell.allowed: expected names of programs or commands, found an empty text"
                ));
            }
        }
        if let Some(containers) = &self.container {
            limits(&format!("{at}.container"), &containers.limits, &mut faults);
            for image in &containers.images {
                if image.is_empty() || image.starts_with('-') || image.contains(char::is_whitespace)
                {
                    faults.push(format!(
                        "{at}.container.images: expected names of images, found `{image}`"
                    ));
                }
            }
            for volume in containers.volumes.iter().filter(|path| !path.is_absolute()) {
                faults.push(format!(
                    "{at}.container.volumes: expected absolute paths, found `{}`",
                    volume.display()
                ));
            }
        }
        faults
    }
}

fn limits(at: &str, limits: &Limits, faults: &mut Vec<String>) {
    if !(1..=86_400).contains(&limits.seconds) {
        faults.push(format!(
            "{at}.limits.seconds: expected 1 to 86400, found {}",
            limits.seconds
        ));
    }
    if !(1..=8 << 20).contains(&limits.output_bytes) {
        faults.push(format!(
            "{at}.limits.outputBytes: expected 1 to 8388608, found {}",
            limits.output_bytes
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_faults_named() {
        let read = |text: &str| serde_yaml::from_str::<Processes>(text);
        let good = read(
            "{ shell: { allowed: [date] }, container: { runtime: podman, images: ['alpine:3.20'] } }",
        )
        .expect("good settings");
        assert_eq!(good.faults("run"), Vec::<String>::new());
        let bad = read(
            "{ shell: { allowed: [' '], limits: { seconds: 0 } }, container: { runtime: docker, images: ['-v'], volumes: [data], limits: { outputBytes: 0 } } }",
        )
        .expect("readable settings");
        assert_eq!(bad.faults("run").len(), 5, "{:?}", bad.faults("run"));
        assert!(read("{ shell: { allow: [date] } }").is_err());
        assert!(read("{ container: { runtime: lxc, images: [] } }").is_err());
        assert_eq!(read("{}").expect("nothing"), Processes::default());
    }
}
