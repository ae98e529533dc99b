//! A daemon's door before an engine that only remembers, for tests of both sides of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Backend, Door, router, serve};
use crate::channel::callback::Callbacks;
use crate::channel::track::Tracks;
use crate::config::{Config, Inputs, Secret};
use crate::engine::audience::{Condition, Funnel};
use crate::engine::partner::{Merchant, Redeemed};
use crate::engine::referral::{Answer, Followed, Marks};
use crate::engine::trial;
use crate::engine::why::Links;
use crate::engine::{EngineError, Receipt, Stats, SubmitError};
use crate::expr::MessageEvent;
use crate::intake::fixture;
use crate::ledger::Act;
use crate::name::Name;
use crate::program::Picture;
use crate::step::slots::Standing;
use crate::step::verdict::Tally;
use crate::step::world::Kill;
use crate::step::{Event, EventKind, MessageKey, RootKey, TaskOrder, World};
use crate::store::{
    Acted, Days, Directory, Ledger, Lotteries, PartnerCodes, Quarantined, Shown, Stored, TaskCount,
    TaskQuery, TaskRow, TaskStatus,
};
use crate::text::Sources;

/// Remembers identities, as an engine would, and can be told to be full or broken.
pub(crate) struct Memory {
    pub(crate) kept: Mutex<BTreeMap<(String, String), (RootKey, Event)>>,
    pub(crate) set_aside: Mutex<Vec<Quarantined>>,
    pub(crate) kill: Mutex<Kill>,
    /// The next answers instead of receipts.
    pub(crate) trouble: Mutex<Vec<SubmitError>>,
}

impl Memory {
    fn new(trouble: Vec<SubmitError>) -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::default(),
            set_aside: Mutex::default(),
            kill: Mutex::default(),
            trouble: Mutex::new(trouble),
        })
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.kept.lock().unwrap().keys().map(|(_, id)| id.clone()).collect()
    }

    fn keep(&self, root: RootKey, event: Event) -> Receipt {
        let mut kept = self.kept.lock().unwrap();
        let identity = (event.source.to_string(), event.id.to_string());
        match kept.get(&identity) {
            Some((old_root, old)) if *old_root == root && old.fields == event.fields => Receipt::Duplicate,
            Some(_) => Receipt::Conflict,
            None => {
                kept.insert(identity, (root, event));
                Receipt::Accepted
            }
        }
    }
}

impl Backend for Memory {
    fn submit(&self, events: Vec<(RootKey, Event)>) -> BoxFuture<'_, Result<Vec<Receipt>, SubmitError>> {
        if let Some(error) = self.trouble.lock().unwrap().pop() {
            return ready(Err(error)).boxed();
        }
        ready(Ok(events.into_iter().map(|(root, event)| self.keep(root, event)).collect())).boxed()
    }

    fn quarantine(&self, records: Vec<Quarantined>) -> BoxFuture<'_, Result<(), EngineError>> {
        self.set_aside.lock().unwrap().extend(records);
        ready(Ok(())).boxed()
    }

    fn kill(&self, _seen: u64, kill: Kill) -> BoxFuture<'_, Result<(), EngineError>> {
        *self.kill.lock().unwrap() = kill;
        ready(Ok(())).boxed()
    }

    fn experiments(&self) -> BoxFuture<'_, Result<Vec<trial::Standing>, EngineError>> {
        let tally = |counts, reached| Tally { counts, reached };
        let arms = vec![(Name::new("short"), tally(12, 3)), (Name::new("story"), tally(9, 8))];
        let (experiment, opened) = (Name::new("words"), Some(self.now()));
        let standing = trial::Standing { experiment, arms, opened, decides: None, decided: None };
        ready(Ok(vec![standing])).boxed()
    }

    /// Of these everybody is in one.
    fn audience(&self, name: Name) -> BoxFuture<'_, Result<Option<Funnel>, EngineError>> {
        let everybody = Funnel {
            audience: name,
            subject: Name::new("customer"),
            known: 7,
            members: 7,
            conditions: vec![Condition { text: "name is known".to_owned(), alone: 7, together: 7 }],
            unreadable: 0,
            short: Vec::new(),
        };
        ready(Ok((name.as_str() == "everybody").then_some(everybody))).boxed()
    }

    fn directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    /// This one keeps no books.
    fn ledger(&self) -> Option<&dyn Ledger> {
        None
    }

    fn codes(&self) -> Option<&dyn PartnerCodes> {
        None
    }

    fn code_of(&self, _: String) -> BoxFuture<'_, Result<Option<Shown>, EngineError>> {
        ready(Ok(None)).boxed()
    }

    fn redeem(&self, _: String, _: Merchant) -> BoxFuture<'_, Result<Option<Redeemed>, EngineError>> {
        ready(Ok(None)).boxed()
    }

    fn lotteries(&self) -> Option<&dyn Lotteries> {
        None
    }

    fn act(&self, _: String, _: Act) -> BoxFuture<'_, Result<Option<Acted>, EngineError>> {
        ready(Ok(None)).boxed()
    }

    /// Nor whom anybody invites.
    fn invite(&self, _: Name, _: String, _: Marks) -> BoxFuture<'_, Result<Answer, EngineError>> {
        ready(Ok(Answer::NoReferral)).boxed()
    }

    fn follow(&self, _: Followed) -> BoxFuture<'_, Result<Answer, EngineError>> {
        ready(Ok(Answer::NoReferral)).boxed()
    }

    fn links_of(&self, _: String) -> BoxFuture<'_, Result<Links, EngineError>> {
        ready(Ok(Links::default())).boxed()
    }

    fn task<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<TaskRow>, EngineError>> {
        ready(Ok((id == VISIT).then(|| self.visit()))).boxed()
    }

    /// One is known.
    fn link<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, EngineError>> {
        let tracks = tracks();
        let (message, to) = ("offer/C-17/C-17/sms", "https://bank.example/offer?x=1");
        let is_known = name == tracks.name(7, (message, to), 0);
        ready(Ok(tracks.sealed(message, to).filter(|_| is_known))).boxed()
    }

    /// None was deployed.
    fn picture<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Picture>, EngineError>> {
        ready(Ok(None)).boxed()
    }

    /// A banner for everybody, until it is closed.
    fn slots(&self, root: RootKey, slots: Vec<Name>) -> BoxFuture<'_, Result<Vec<Standing>, EngineError>> {
        let part = |name: &str, text: &str| (Name::new(name), text.into());
        let closed =
            |event: &Event| matches!(event.kind, EventKind::Message { kind: MessageEvent::Dismissed, .. });
        let is_closed = self.kept.lock().unwrap().values().any(|(_, event)| closed(event));
        let stands = |slot: Name| Standing {
            placement: MessageKey::parse(&format!("offer/{0}/{0}/spring.{slot}", root.id)).unwrap(),
            slot,
            content: Name::new("spring"),
            rank: 20,
            since: fixture::now(),
            until: None,
            parts: vec![part("title", "新春礼遇"), part("link", "app://spring")],
            pictures: Vec::new(),
        };
        let found = slots.into_iter().filter(|slot| slot.as_str() == "banner" && !is_closed).map(stands);
        ready(Ok(found.collect())).boxed()
    }

    fn world(&self) -> Arc<World> {
        let mut world = fixture::world();
        world.kill = self.kill.lock().unwrap().clone();
        Arc::new(world)
    }

    fn now(&self) -> Timestamp {
        fixture::now()
    }

    fn stats(&self) -> Stats {
        Stats { accepted: 7, ..Stats::default() }
    }
}

/// The id of the only task that there is.
const VISIT: &str = "0a96ad9dba2d6f5fe9a1b8c2d31";

impl Memory {
    /// What was submitted of it, as an engine would show it.
    fn visit(&self) -> TaskRow {
        let mut row = TaskRow {
            id: VISIT.to_owned(),
            key: "offer/C-17/C-17/offer_call".to_owned(),
            entity: "customer".to_owned(),
            task: "offer_call".to_owned(),
            assignee: "desk-0101".to_owned(),
            unit: Some("b0101".to_owned()),
            opened: fixture::now().as_millisecond(),
            due: Some(fixture::now().as_millisecond() + 86_400_000),
            changed: fixture::now().as_millisecond(),
            ..TaskRow::default()
        };
        for (_, event) in self.kept.lock().unwrap().values() {
            match &event.kind {
                EventKind::Tasked { order: TaskOrder::Claim { by }, .. } => row.holder = by.to_string(),
                EventKind::Tasked { order: TaskOrder::Reassign { to }, .. } => row.assignee = to.to_string(),
                EventKind::Declared(name) if name.as_str() == "offer_call" => {
                    row.status = TaskStatus::Done;
                    row.result = Some("agreed".to_owned());
                }
                _ => {}
            }
        }
        row
    }
}

impl Directory for Memory {
    fn task<'a>(&'a self, _: u16, id: &'a str) -> Stored<'a, Option<TaskRow>> {
        ready(Ok((id == VISIT).then(|| self.visit()))).boxed()
    }

    fn tasks<'a>(&'a self, query: &'a TaskQuery) -> Stored<'a, Vec<TaskRow>> {
        let is_wanted =
            |row: &TaskRow| query.status.map_or(row.status.is_open(), |status| row.status == status);
        ready(Ok(vec![self.visit()].into_iter().filter(is_wanted).collect())).boxed()
    }

    fn task_counts(&self, _: Days) -> Stored<'_, Vec<TaskCount>> {
        let row = self.visit();
        let (unit, task, status) = (row.unit.unwrap_or_default(), row.task, row.status);
        ready(Ok(vec![TaskCount { unit, task, status, count: 1 }])).boxed()
    }

    fn task_changes<'a>(&'a self, after: &'a [(u16, u64)], _: usize) -> Stored<'a, Vec<(u64, TaskRow)>> {
        let row = self.visit();
        ready(Ok(if after.is_empty() { vec![(12, row)] } else { Vec::new() })).boxed()
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) memory: Arc<Memory>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) task: tokio::task::JoinHandle<()>,
}

pub(crate) const MAX_BODY: u64 = 20 << 20;

pub(crate) async fn start_with(token: Option<&str>, max_body: u64, trouble: Vec<SubmitError>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let memory = Memory::new(trouble);
    let engine: Arc<dyn Backend> = Arc::<Memory>::clone(&memory);
    let mut door = Door::new(engine, token.map(Secret::new), max_body, address);
    (door.callbacks, door.tracks) = (Callbacks::of(&settings()), Some(tracks()));
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, router(door), async {
        let _ = stopped.await;
    }));
    Running { address, memory, stop, task }
}

/// Two providers that report, and links.
fn settings() -> Config {
    let text = r#"
[channels.sms]
provider = "twilio"
account = "AC1"
secret_file = "twilio-test-secret"
from = "+12025550123"
callback = "https://bank.example/v1/receipts/sms"

[channels.ali]
provider = "aliyun_sms"
key_id = "LTAI5tTestKey"
secret_file = "aliyun-test-secret"
sign_name = "示例银行"
callback_secret_file = "aliyun-callback-secret"

[links]
url = "https://go.bank.example/"
secret_file = "links-test-secret"
channels = "mail"
"#;
    let (env, read) = (BTreeMap::new(), |path: &str| Ok(path.to_owned()));
    let inputs = Inputs { path: "wayfare.toml", text, env: &env, read: &read };
    Config::parse(&inputs, &mut Sources::default()).unwrap()
}

pub(crate) fn tracks() -> Tracks {
    Tracks::new(&settings().links.unwrap()).unwrap()
}

pub(crate) async fn start() -> Running {
    start_with(None, MAX_BODY, Vec::new()).await
}
