//! Tables: parameters, what they give, and rows; and calls of them in expressions.

use super::expr::{Checker, Place, Typed};
use super::journey::branches::pat;
use super::schema;
use super::world::{Declared, Kind, Sink, World};
use super::{types, words};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::{Expr, TableCall, TableRow};
use crate::logic::coverage::{Columns, Coverage, Pat, Row};
use crate::logic::{Domain, Held};
use crate::model::Table;
use crate::name::Name;
use crate::syntax::ast::{self, Arg, CasePattern, DeclKind, Path};
use crate::value::Type;

/// Checks all of them into the model.
pub(super) fn tables(world: &mut World, sink: &mut Sink) {
    let all: Vec<Declared> = world.due.iter().filter(|one| one.kind == Kind::Table).copied().collect();
    for declared in all {
        if let Some(table) = sink.about(&declared, |sink| one(world, &declared, sink)) {
            world.model.tables.insert(declared.name, table);
        }
    }
}

fn one(world: &World, declared: &Declared, sink: &mut Sink) -> Option<Table> {
    let DeclKind::Table { returns, rows } = &declared.decl.kind else { return None };
    let mut checker = Checker::new(world, declared.file, Place::Table, None);
    let mut params: Vec<(Name, Type)> = Vec::new();
    for param in &declared.decl.params {
        let ty = types::resolve(world, &mut checker.sink, declared.file, &param.ty);
        if params.iter().any(|(name, _)| *name == param.name.name) {
            checker.report(types::twice(param.name));
        }
        params.push((param.name.name, ty));
    }
    if params.is_empty() {
        let headline = format!("table `{}` looks at nothing", declared.name);
        let finding = Diagnostic::new(code::TABLE_ROW, declared.span, headline).label("no parameters");
        checker
            .report(finding.help(format!("say what it looks at: `table {}(tier : …) -> …`", declared.name)));
    }
    checker.params.clone_from(&params);
    let returns = match returns {
        Some(returns) => types::resolve(world, &mut checker.sink, declared.file, returns),
        None => Type::Error,
    };
    let columns: Vec<Type> = params.iter().map(|(_, ty)| ty.clone()).collect();
    let checked: Vec<TableRow> = rows.iter().map(|row| checker.row(row, &columns, &returns)).collect();
    if checker.sink.findings.is_empty() {
        checker.every_value(declared, &params, rows, &checked, &returns);
    }
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    Some(Table {
        name: declared.name,
        label: schema::label(declared.decl),
        params,
        returns,
        rows: checked,
        row_spans: rows.iter().map(|row| row.span).collect(),
        span: declared.span,
    })
}

impl<'a> Checker<'_, 'a> {
    fn row(&mut self, row: &ast::TableRow, types: &[Type], returns: &Type) -> TableRow {
        if row.patterns.len() != types.len() {
            let (wanted, found) = (values(types.len()), row.patterns.len());
            let headline = format!("this table looks at {wanted}, and this row tests {found}");
            let finding = Diagnostic::new(code::TABLE_ROW, row.span, headline).label("another number");
            self.report(finding.help("write one pattern for each parameter, `_` for any"));
        }
        let tests = row.patterns.iter().zip(types);
        let tests = tests.map(|(pattern, ty)| self.column(pattern, ty)).collect();
        TableRow { tests, value: self.expect(&row.value, returns) }
    }

    /// Every combination of values has a row, and every row takes some.
    fn every_value(
        &mut self,
        declared: &Declared,
        params: &[(Name, Type)],
        written: &[ast::TableRow],
        rows: &[TableRow],
        returns: &Type,
    ) {
        let model = &self.world.model;
        let domain =
            |ty: &Type| Domain::of(ty.known(), || Some(words::cases(model, ty))).unwrap_or(Domain::Open);
        let columns = Columns::new(params.iter().map(|(_, ty)| domain(ty)));
        let pats: Vec<Vec<Pat>> = rows.iter().map(|row| row.tests.iter().map(pat).collect()).collect();
        let mut row = None;
        let lacking = match columns.exhaustive(&pats) {
            Coverage::Full => None,
            Coverage::Unknown => Some(Vec::new()),
            Coverage::Lacks(example) => {
                let column = |at: usize| {
                    let held = columns.var(at).and_then(|var| example.held(var));
                    held.map_or_else(|| "_".to_owned(), Held::pattern)
                };
                row = Some((0..params.len()).map(column).collect::<Vec<String>>().join(", "));
                let held = params
                    .iter()
                    .enumerate()
                    .filter_map(|(at, (name, _))| Some(example.held(columns.var(at)?)?.words(name.as_str())));
                Some(held.collect::<Vec<String>>())
            }
        };
        // A value that may be missing is in no row but `_`.
        let unknown = params.iter().enumerate().find(|(at, (_, ty))| {
            let any = |row: &Vec<Pat>| matches!(row.get(*at), Some(Pat::Any));
            ty.is_optional() && !pats.iter().any(any)
        });
        let lacking = lacking.or_else(|| unknown.map(|(_, (name, _))| vec![format!("`{name}` is missing")]));
        if let Some(lacking) = lacking {
            let headline = format!("table `{}` says nothing for some values", declared.name);
            let label = if lacking.is_empty() {
                "not all are named".to_owned()
            } else {
                format!("nothing is said for {}", lacking.join(" with "))
            };
            let finding = Diagnostic::new(code::TABLE_GAP, declared.span, headline).label(label);
            let any = vec!["_"; params.len()].join(", ");
            let missing = match row.filter(|row| *row != any) {
                Some(row) => format!("write a row `{row} => …`"),
                None => "write the rows that are missing".to_owned(),
            };
            let finding = finding.help(format!("{missing}, or `{any} => …` at the end for all others"));
            self.report(finding.note(format!("right of `=>` stands {}", words::of_type(returns))));
        }
        for (at, row) in columns.rows(&pats).into_iter().enumerate() {
            let Row::Dead { by } = row else { continue };
            let Some(dead) = written.get(at) else { continue };
            let finding = Diagnostic::new(code::DEAD_ROW, dead.span, "this row is never reached")
                .label("the rows above take everything it names");
            let above = by.iter().filter_map(|above| written.get(*above)).take(3);
            let finding = above.fold(finding, |finding, row| finding.also(row.span, "takes it before"));
            self.report(finding.help("take it out, or move it up"));
        }
    }

    /// A value that may be missing is tested by its known values; `_` also takes the missing one.
    fn column(&mut self, pattern: &CasePattern, ty: &Type) -> crate::expr::CaseTest {
        self.case_test(pattern, ty.known())
    }

    /// The table that a call names, if it names one. Inside a table there is none: its rows say their values.
    pub(super) fn table_named(&mut self, callee: &Path) -> Option<Declared<'a>> {
        let (declared, parts) = self.world.find_path(&mut self.sink, self.file, &callee.parts)?;
        (declared.kind == Kind::Table && parts == callee.parts.len()).then_some(declared)
    }

    /// `stage_offer(stage, tier)`
    pub(super) fn table_call(&mut self, whole: &ast::Expr, declared: &Declared, args: &[Arg]) -> Typed {
        if self.place == Place::Table {
            let headline = "a row of a table cannot ask a table";
            let finding = Diagnostic::new(code::MISPLACED, whole.span, headline).label("asks another table");
            self.report(finding.help("write its value out in rows of this one"));
            return Typed::error();
        }
        let world = self.world;
        let Some(table) = world.model.tables.get(&declared.name) else { return Typed::error() };
        let mut given: Vec<Option<Expr>> = vec![None; table.params.len()];
        for arg in args {
            let Some(at) = self.column_of(arg, table, &given) else { continue };
            let Some((_, ty)) = table.params.get(at) else { continue };
            let value = self.expect(&arg.value, ty);
            if let Some(slot) = given.get_mut(at) {
                *slot = Some(value);
            }
        }
        let missing: Vec<String> = table
            .params
            .iter()
            .zip(&given)
            .filter(|(_, given)| given.is_none())
            .map(|((name, ty), _)| format!("`{name}` ({})", words::of_type(ty)))
            .collect();
        if !missing.is_empty() {
            let headline = format!("table `{}` is not given {}", table.name, missing.join(" and "));
            let finding =
                Diagnostic::new(code::WRONG_ARGUMENTS, whole.span, headline).label("something is missing");
            let names: Vec<&str> = table.params.iter().map(|(name, _)| name.as_str()).collect();
            self.report(finding.also(table.span, "looks at it").help(format!(
                "write `{}({})`",
                table.name,
                names.join(", ")
            )));
            return Typed { ty: table.returns.clone(), ..Typed::error() };
        }
        let call = TableCall {
            table: table.name,
            args: given.into_iter().flatten().collect(),
            params: table.params.iter().map(|(name, _)| *name).collect(),
            rows: table.rows.clone(),
        };
        Typed::new(Expr::Table(Box::new(call)), table.returns.clone())
    }

    fn column_of(&mut self, arg: &Arg, table: &Table, given: &[Option<Expr>]) -> Option<usize> {
        let Some(name) = arg.name else {
            let free = given.iter().position(Option::is_none);
            if free.is_none() {
                let headline = format!("table `{}` looks at {}", table.name, values(table.params.len()));
                let finding = Diagnostic::new(code::WRONG_ARGUMENTS, arg.value.span, headline);
                self.report(
                    finding.label("one too many").also(table.span, "declared here").help("leave it out"),
                );
            }
            return free;
        };
        let at = table.params.iter().position(|(param, _)| *param == name.name);
        if let Some(at) = at.filter(|at| given.get(*at).is_some_and(Option::is_none)) {
            return Some(at);
        }
        let headline = format!("table `{}` takes no `{}`", table.name, name.name);
        let finding =
            Diagnostic::new(code::WRONG_ARGUMENTS, name.span, headline).label("not taken, or given already");
        let among = table.params.iter().map(|(param, _)| param.as_str());
        let help = suggest::did_you_mean(name.name.as_str(), among);
        self.report(finding.help(help.unwrap_or_else(|| "take the name of one of its parameters".into())));
        None
    }
}

fn values(count: usize) -> String {
    if count == 1 { "one value".into() } else { format!("{count} values") }
}
