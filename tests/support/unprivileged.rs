//! Processes to which permissions mean something, also where the tests run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder of the unprivileged user, with the binary in it (a clone below `/root` is out of that user's reach).
pub(crate) struct Sandbox {
    folder: TempDir,
    user: Option<u32>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let sandbox =
            Self { folder: tempfile::tempdir().expect("a folder for the test"), user: other_user() };
        let binary = sandbox.path("wayfare");
        // By a process of its own: a file that this one has open for writing may be inherited by what another test
        // starts, and cannot be run meanwhile.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_wayfare")).arg(&binary).status();
        assert!(copied.expect("cp starts").success());
        for path in [sandbox.folder.path(), binary.as_path()] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        }
        sandbox.give(sandbox.folder.path());
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the unprivileged user with these permissions.
    pub(crate) fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("the file is written");
        self.give(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
        path
    }

    /// The binary as the unprivileged user, in the folder.
    pub(crate) fn wayfare(&self) -> Command {
        self.command(&self.path("wayfare"))
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("HOME", self.folder.path()).env("NO_COLOR", "1");
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    fn give(&self, path: &Path) {
        if self.user.is_some() {
            chown(path, self.user, self.user).expect("root may give files away");
        }
    }
}

/// Whom to become: nobody where we are root, and nobody else otherwise. `scripts/test` says who that is.
pub(crate) fn other_user() -> Option<u32> {
    let probe = tempfile::tempfile().expect("a file for the test");
    let root = probe.metadata().expect("the file is ours").uid() == 0;
    let named = std::env::var("WAYFARE_UNPRIVILEGED_UID").ok().and_then(|uid| uid.parse().ok());
    root.then(|| named.unwrap_or(65534))
}

#[test]
fn permissions_hold_for_the_unprivileged_user() {
    let sandbox = Sandbox::new();
    let read = |mode| {
        let file = sandbox.file("secret.txt", "secret", mode);
        sandbox.command(Path::new("cat")).arg(file).output().expect("cat starts")
    };
    assert_eq!(read(0o400).stdout, b"secret");
    let refused = read(0o000);
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(sandbox.wayfare().arg("--version").output().expect("the binary starts").status.success());
}
