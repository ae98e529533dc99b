//! The compiler on the journeys of the repository: they compile without a word, and their graphs read as they do.

use std::collections::BTreeSet;
use std::path::PathBuf;

use wayfare::compile::{Compilation, compile};
use wayfare::graph::export;
use wayfare::name::Name;
use wayfare::project;

fn journeys() -> Compilation {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("journeys");
    compile(&project::load(&[root]).unwrap().input)
}

#[test]
fn the_journeys_of_the_repository_have_no_findings() {
    let compilation = journeys();
    let told: Vec<String> = compilation
        .diagnostics
        .iter()
        .map(|finding| {
            let (path, line) = compilation.sources.place(finding.primary.span);
            format!("{path}:{line} {} {}", finding.code, finding.headline)
        })
        .collect();
    assert_eq!(told, Vec::<String>::new());
    let bundle = compilation.bundle.unwrap();
    // A referral runs as a program, too; nobody wrote its steps, so it is not drawn.
    let drawn = compilation.graphs.keys().chain(bundle.values.referrals.keys());
    let names =
        |names: &mut dyn Iterator<Item = &Name>| names.map(|name| name.as_str()).collect::<BTreeSet<_>>();
    assert_eq!(names(&mut bundle.programs.keys()), names(&mut drawn.into_iter()));
    for program in bundle.programs.values() {
        let count = u16::try_from(program.body.nodes.len()).unwrap();
        let leads = program.body.nodes.iter().flat_map(|node| node.kind.successors());
        assert!(leads.into_iter().all(|to| to < count), "{}", program.body.journey);
    }
}

#[test]
fn graphs_of_real_journeys_keep_their_chinese() {
    let compilation = journeys();
    for (name, graph) in &compilation.graphs {
        insta::assert_snapshot!(format!("graph_{name}_mermaid"), export::mermaid(graph));
    }
    let maturity = compilation.graphs.iter().find(|(name, _)| name.as_str() == "maturity").unwrap().1;
    insta::assert_snapshot!("graph_maturity_dot", export::dot(maturity));
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("journeys");
    let mut input = project::load(&[root]).unwrap().input;
    let first = serde_json::to_string(&compile(&input).bundle.unwrap()).unwrap();
    input.files.reverse();
    let second = serde_json::to_string(&compile(&input).bundle.unwrap()).unwrap();
    assert_eq!(first, second, "whatever the order of files");
}

/// A mistake is told where it is, and nowhere else: not by the test of the journey, not by other journeys.
#[test]
fn mistakes_have_no_echo() {
    insta::glob!("suite/echo/*.journey", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let file = |path: &str, text: &str| wayfare::compile::File {
            path: path.into(),
            package: "".into(),
            text: text.into(),
        };
        let world = "\
entity customer \"客户\" { key id : Id; consent : [channel]; name : Text?; vip : Bool }
channel push { kind push; receipt within 10min }
event signed_up \"注册\" of customer { key id : Id }
event paid \"付款\" of customer { key id : Id; amount : Money(CNY) }
content hello \"问候\" of customer { via push { title \"你好\"; body \"\"\"欢迎。\"\"\" } }
";
        let files = vec![file("world.journey", world), file("story.journey", &text)];
        let found = compile(&wayfare::compile::Input { files, ..Default::default() });
        let mut told = Vec::new();
        wayfare::diagnostic::render::concise::render(&found.diagnostics, &found.sources, &mut told).unwrap();
        insta::assert_snapshot!(String::from_utf8(told).unwrap());
    });
}
