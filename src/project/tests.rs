use std::fs;

use super::*;

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// `package: path` of each file, paths as seen from `folder`.
fn told(project: &Project, folder: &Path) -> Vec<String> {
    let shown = |file: &File| {
        let path = Path::new(&*file.path);
        format!("{}: {}", file.package, path.strip_prefix(folder).unwrap_or(path).display())
    };
    project.input.files.iter().map(shown).collect()
}

#[test]
fn a_project_is_found_from_any_of_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "wayfare.toml", "");
    write(folder, "model.journey", "import std.cn.bank { push }\n");
    write(folder, "loans/cards/first.journey", "");
    write(folder, "loans/notes.txt", "");
    write(folder, ".gitignore", "old/\n");
    write(folder, "old/first.journey", "");
    let whole =
        ["loans.cards: loans/cards/first.journey", ": model.journey", "std.cn.bank: std/cn/bank.journey"];
    for asked in ["", "loans", "loans/cards/first.journey"] {
        let project = load(&[folder.join(asked)]).unwrap();
        assert_eq!(told(&project, folder), whole, "from `{asked}`");
    }
    let calendars: Vec<String> =
        load(&[folder.to_owned()]).unwrap().input.named.keys().map(|(path, _)| path.to_string()).collect();
    assert_eq!(calendars, ["std/cn/bank.journey"]);
}

#[test]
fn without_settings_only_what_was_asked_for_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "a.journey", "calendar c { file \"days.csv\" }\n");
    write(folder, "days.csv", "date,kind,name\n");
    write(folder, "b.journey", "");
    let project = load(&[folder.join("a.journey")]).unwrap();
    assert_eq!(told(&project, folder), [": a.journey"]);
    assert_eq!(project.input.named.len(), 1);
    assert_eq!(told(&load(&[folder.to_owned()]).unwrap(), folder), [": a.journey", ": b.journey"]);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let missing = load(&[folder.join("nowhere")]).unwrap_err();
    assert!(matches!(&missing, ProjectError::File { path, .. } if path.ends_with("nowhere")), "{missing}");
    assert!(matches!(load(&[folder.to_owned()]), Err(ProjectError::Empty { .. })));
    fs::write(folder.join("latin.journey"), [0xe9, b'\n']).unwrap();
    let unreadable = load(&[folder.to_owned()]).unwrap_err();
    assert!(unreadable.to_string().contains("latin.journey"), "{unreadable}");
}

#[test]
fn a_folder_is_the_same_package_from_wherever_it_is_seen() {
    let seen = |root: &str, path: &str| package(Path::new(root), Path::new(path));
    assert_eq!(seen(".", "loans/cards/first.journey"), "loans.cards");
    assert_eq!(seen(".", "./loans/first.journey"), "loans");
    assert_eq!(seen(".", "first.journey"), "");
    assert_eq!(seen("bank", "bank/loans/first.journey"), "loans");
    assert_eq!(seen("./bank", "bank/first.journey"), "");
    assert_eq!(seen("/srv/bank", "/srv/bank/loans/first.journey"), "loans");
}
