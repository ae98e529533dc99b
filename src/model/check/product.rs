//! Products, and the classes that attributes and products have.

use super::expr::{Checker, Place};
use super::world::{Declared, Kind, Sink, World};
use super::{content, schema};
use crate::diagnostic::{Diagnostic, code};
use crate::model::Choice;
use crate::model::Uses;
use crate::model::govern::{Product, RISK, RISKS};
use crate::name::Name;
use crate::syntax::ast::{DeclKind, Path, ProductItem};
use crate::text::Span;

/// Data classes; behind a dot each may say more: `sensitive.health`.
const DATA: [&str; 8] =
    ["identity", "contact", "financial", "behaviour", "minor", "protected", "sensitive", "derived"];
const PRODUCTS: [&str; 10] = [
    "deposit",
    "wmp",
    "fund",
    "insurance",
    "consumer_loan",
    "card",
    "mortgage",
    "pension",
    "payment",
    "none",
];

/// The levels of risk, which need not be declared.
pub(super) fn risk() -> Choice {
    let cases = RISKS.iter().map(|case| (Name::new(case), None)).collect();
    Choice { name: Name::new(RISK), label: None, cases, ordered: true, span: Span::default() }
}

/// The data class of a field, which says who may see it and what may be done with it.
pub(super) fn data_class(class: &Path, sink: &mut Sink) -> Name {
    let first = class.parts.first().map_or("", |part| part.name.as_str());
    if !DATA.contains(&first) {
        let headline = format!("`{}` is no class of data", class.text());
        let finding = Diagnostic::new(code::DATA_CLASS, class.span, headline).label("not known");
        sink.report(finding.suggest(first, DATA, || {
            format!("classes are `{}`; more may follow behind a dot: `sensitive.health`", DATA.join("`, `"))
        }));
    }
    Name::new(&class.text())
}

/// Checks all products. Runs when attributes, audiences and contents' names are known.
pub(super) fn products(world: &mut World, sink: &mut Sink) {
    for declared in world.due_of(|kind| kind == Kind::Product) {
        if let DeclKind::Product(items) = &declared.decl.kind {
            let product = product(world, &declared, items, sink);
            world.model.products.insert(declared.name, product);
        }
    }
}

/// The class and risk of every product: other expressions name them.
pub(super) fn shapes(world: &mut World) {
    for declared in world.due_of(|kind| kind == Kind::Product) {
        if let DeclKind::Product(items) = &declared.decl.kind {
            let risk = items.iter().find_map(|item| match item {
                ProductItem::Risk(risk) if RISKS.contains(&risk.name.as_str()) => Some(risk.name),
                _ => None,
            });
            world.model.products.insert(declared.name, Product { risk, ..empty(&declared) });
        }
    }
}

fn empty(declared: &Declared) -> Product {
    Product {
        name: declared.name,
        label: schema::label(declared.decl),
        class: None,
        risk: None,
        disclose: None,
        market: None,
        uses: Uses::default(),
        span: declared.span,
    }
}

fn product(world: &World, declared: &Declared, items: &[ProductItem], sink: &mut Sink) -> Product {
    let mut product = empty(declared);
    let subject = content::person(world);
    let mut checker = Checker::new(world, declared.file, Place::Derived, subject);
    for item in items {
        match item {
            ProductItem::Class(class) => {
                let text = class.text();
                if !PRODUCTS.contains(&text.as_str()) {
                    let headline = format!("`{text}` is no class of products");
                    let finding = Diagnostic::new(code::PRODUCT, class.span, headline).label("not known");
                    checker.report(
                        finding
                            .suggest(&text, PRODUCTS, || format!("classes are `{}`", PRODUCTS.join("`, `"))),
                    );
                }
                product.class = Some(Name::new(&text));
            }
            ProductItem::Risk(risk) => {
                if !RISKS.contains(&risk.name.as_str()) {
                    let headline = format!("`{}` is no level of risk", risk.name);
                    let finding = Diagnostic::new(code::PRODUCT, risk.span, headline).label("not a level");
                    checker.report(finding.help("write `R1` (lowest) to `R5`"));
                }
                product.risk = Some(risk.name);
            }
            ProductItem::Disclose(path) => {
                let content = world.expect_path(&mut checker.sink, declared.file, path, Kind::Content);
                product.disclose = content.map(|content| content.name);
            }
            ProductItem::Market(market) => product.market = subject.map(|_| checker.condition(market)),
            ProductItem::Error(_) => {}
        }
    }
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    product.uses = checker.uses;
    product
}
