//! `--against REF`: the project as it was, for whoever says what a change does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::Failure;
use crate::cli::command::compiled;
use crate::project::{self, Project};

/// The project of `root` at `reference`, a commit, a branch, a tag or a folder.
pub(super) fn project(root: &Path, reference: &str) -> Result<Project, Failure> {
    let folder = Path::new(reference);
    if folder.is_dir() {
        return read(folder);
    }
    let copy = Copy::new()?;
    unpack(root, reference, &copy.0)?;
    read(&copy.0)
}

fn read(folder: &Path) -> Result<Project, Failure> {
    project::load(&[folder.to_path_buf()]).map_err(|error| compiled::unread(&error))
}

/// A folder that is gone with it.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Result<Self, Failure> {
        let name = format!("wayfare-against-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).map_err(|error| Failure::file("make", &folder, &error))?;
        Ok(Self(folder))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Nothing of ours is kept in it; what cannot be taken away the system's own cleaning takes.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `git archive` of the folder, as it was, into `into`.
fn unpack(root: &Path, reference: &str, into: &Path) -> Result<(), Failure> {
    if reference.starts_with('-') {
        return Err(unknown(reference, "a reference does not begin with `-`"));
    }
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let archive = into.join("project.tar");
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["archive", "--format=tar", "-o"]).arg(&archive).arg(reference);
    run(git, reference)?;
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(into);
    run(tar, reference)
}

fn run(mut command: Command, reference: &str) -> Result<(), Failure> {
    let done = command.stdin(Stdio::null()).output();
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(unknown(reference, said.lines().next().unwrap_or("git says nothing")))
        }
        Err(error) => {
            let program = command.get_program().to_string_lossy().into_owned();
            Err(unknown(reference, &format!("`{program}` cannot be run: {error}")))
        }
    }
}

fn unknown(reference: &str, why: &str) -> Failure {
    Failure::new(format_args!("cannot read the project as it was at `{reference}`: {why}"))
        .help("write a branch, a tag or a commit of this repository, or a folder with the project as it was")
}
