//! Who invites whom: codes are handed out, a link that is followed binds whoever is invited once, and their row hears that
//! they joined. What follows (what counts, both gifts) is the journey of the referral, in their own row.
//!
//! Being bound is durable before the row hears of it: where that fails, it is told later ([`keep_telling`]).

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::handle::{EngineError, EngineHandle, Receipt};
use super::why::{LINKS, Links};
use crate::expr::civil;
use crate::name::Name;
use crate::program::value::{INVITER, JOINED, REFERRAL, Referral};
use crate::step::{Event, EventKind, RootKey, State, World, opening};
use crate::store::{Binding, Bound, CodeRow, EdgeRow, Referrals};
use crate::text::hex;
use crate::value::Value;

/// Characters of a code: no two that look or sound alike.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// So long that nobody finds one of a million by trying: 50 bits.
const LENGTH: usize = 10;
/// Codes that are tried before it is given up: two of a million are the same once in a billion times.
const MOST_TRIES: usize = 4;
/// The source of what rows are told.
const SOURCE: &str = "wayfare.referrals";
/// How often it is looked for who was not told, and how old that is at least.
const PAUSE: Duration = Duration::from_secs(30);
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// Told at once.
const PAGE: usize = 500;

/// What is known of somebody's device and address; only their hashes are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub device: Option<String>,
    pub address: Option<String>,
}

/// A link that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub referral: Name,
    pub code: String,
    /// The id of who has followed it.
    pub invitee: Arc<str>,
    pub marks: Marks,
}

/// What came of asking for a code, or of following a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Code(CodeRow),
    Bound {
        edge: EdgeRow,
        /// It was so before.
        again: bool,
    },
    /// It does not count: [`reason`] has the words.
    Refused(String),
    /// The referral turns people away by this, and it is not said.
    Lacks(&'static str),
    /// There is no such referral.
    NoReferral,
    /// There is no such code of this referral.
    NoCode,
}

impl EngineHandle {
    /// The code by which `inviter` invites: always the same one.
    ///
    /// # Errors
    /// If the store cannot be written, or keeps no referrals.
    pub async fn invite(&self, referral: Name, inviter: &str, marks: &Marks) -> Result<Answer, EngineError> {
        let world = self.world();
        let Some(declared) = declared(&world, referral) else { return Ok(Answer::NoReferral) };
        if let Some(lacking) = lacking(declared, marks) {
            return Ok(Answer::Lacks(lacking));
        }
        let now = self.now();
        if !opening::is_open(declared.open.as_ref(), &world, now) {
            return Ok(Answer::Refused("closed".to_owned()));
        }
        let kept = self.kept()?;
        for _ in 0..MOST_TRIES {
            let code = CodeRow {
                code: new_code()
                    .ok_or_else(|| EngineError::Refused("the system has no randomness".into()))?,
                referral: referral.to_string(),
                inviter: holder(declared, inviter),
                device: marks.device.as_deref().map(|text| mark(referral, text)),
                address: marks.address.as_deref().map(|text| mark(referral, text)),
                made: now.as_millisecond(),
            };
            if let Some(code) = kept.hand_out(&code).await? {
                return Ok(Answer::Code(code));
            }
        }
        Err(EngineError::Refused("no code is free".into()))
    }

    /// Somebody has followed a link. The first counts, once, whoever else comes at the same time.
    ///
    /// # Errors
    /// If the store cannot be read or written, or keeps no referrals.
    pub async fn follow(&self, followed: &Followed) -> Result<Answer, EngineError> {
        let (world, now) = (self.world(), self.now());
        let referral = followed.referral;
        let Some(declared) = declared(&world, referral) else { return Ok(Answer::NoReferral) };
        if let Some(lacking) = lacking(declared, &followed.marks) {
            return Ok(Answer::Lacks(lacking));
        }
        let kept = self.kept()?;
        let text = followed.code.trim().to_uppercase();
        let code = kept.code(&text).await?.filter(|code| code.referral == referral.as_str());
        let Some(code) = code else { return Ok(Answer::NoCode) };
        let root = |id: &str| RootKey { entity: declared.subject, id: id.into() };
        let (inviter, _) = self.row_of(&root(id_of(&code.inviter))).await?;
        let (invitee, state) = self.row_of(&root(&followed.invitee)).await?;
        let is_self = inviter.id == invitee.id;
        let refused = against(&world, (referral, declared), state.as_ref(), now)
            .or((is_self && declared.refuses("self")).then_some("self"))
            .or(same(referral, declared, &code, &followed.marks));
        let until = civil::shift_moment(now, declared.keep, false, &world.zone, None);
        let edge = EdgeRow {
            referral: referral.to_string(),
            invitee: holder(declared, &invitee.id),
            inviter: holder(declared, &inviter.id),
            code: code.code,
            at: now.as_millisecond(),
            until: until.unwrap_or(Timestamp::MAX).as_millisecond(),
            told: None,
        };
        let refuses_cycles = declared.refuses("cycle");
        let binding = Binding { edge, refused, refuses_cycles, is_last: declared.is_last };
        let (edge, again) = match kept.bind(&binding).await? {
            Bound::New(edge) => (edge, false),
            Bound::Before(edge) => (edge, true),
            Bound::Refused(reason) => return Ok(Answer::Refused(reason)),
        };
        if edge.told.is_none()
            && let Err(error) = self.tell(&edge).await
        {
            tracing::warn!(%error, referral = edge.referral, "that somebody joined is told later");
        }
        Ok(Answer::Bound { edge, again })
    }

    /// By whom somebody was invited and whom they have brought, and links that did not count: `holder` is `customer/c1`.
    ///
    /// # Errors
    /// If the store cannot be read, or keeps no referrals.
    pub async fn links_of(&self, holder: &str) -> Result<Links, EngineError> {
        Ok(self.kept()?.links(holder, LINKS).await?)
    }

    /// Tells those who joined and have not heard of it; how many.
    ///
    /// # Errors
    /// If the store cannot be read or written, or the engine takes nothing.
    pub async fn tell_unheard(&self) -> Result<usize, EngineError> {
        let Some(kept) = self.store.referrals() else { return Ok(0) };
        let before = self.now().checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        let mut count = 0;
        for edge in kept.unheard(before.as_millisecond(), PAGE).await? {
            count += usize::from(self.tell(&edge).await?);
        }
        Ok(count)
    }

    /// Whether it could be told: not where nobody knows the referral any more.
    async fn tell(&self, edge: &EdgeRow) -> Result<bool, EngineError> {
        let world = self.world();
        let referral = Name::lookup(&edge.referral);
        let known = referral.and_then(|name| Some((name, declared(&world, name)?)));
        let Some((referral, declared)) = known else { return Ok(false) };
        let event = Event {
            source: SOURCE.into(),
            id: format!("{referral}/{}/{}/{}", edge.at, edge.invitee, edge.inviter).into(),
            kind: EventKind::Declared(Name::new(JOINED)),
            child: None,
            time: Timestamp::from_millisecond(edge.at).unwrap_or_default(),
            received: self.now(),
            fields: vec![
                (Name::new(REFERRAL), Value::Choice(referral)),
                (Name::new(INVITER), Value::text(id_of(&edge.inviter))),
            ],
        };
        let root = RootKey { entity: declared.subject, id: id_of(&edge.invitee).into() };
        let receipts = self.submit(vec![(root, event)]).await;
        let receipts = receipts.map_err(|error| EngineError::Store(error.to_string().into()))?;
        if let Some(Receipt::Conflict | Receipt::Quarantined(_)) = receipts.first() {
            tracing::error!(referral = edge.referral, "that somebody joined was set aside");
        }
        self.kept()?.heard(edge, self.now().as_millisecond()).await?;
        Ok(true)
    }

    fn kept(&self) -> Result<&dyn Referrals, EngineError> {
        self.store.referrals().ok_or_else(|| EngineError::Refused("this store keeps no referrals".into()))
    }
}

/// Tells those who joined and were not told at once, until the engine stops.
pub async fn keep_telling(engine: EngineHandle) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if engine.commands.is_closed() {
            return;
        }
        if let Err(error) = engine.tell_unheard().await {
            tracing::warn!(%error, "those who joined cannot be told yet");
        }
    }
}

/// Why a link does not count, in words.
#[must_use]
pub fn reason(word: &str) -> &str {
    match word {
        "closed" => "the referral is not open",
        "self" => "nobody invites themselves",
        "cycle" => "who invites was brought by them",
        "linked" => "the link of somebody else counts",
        "existing_customer" => "they were known before",
        "qualified" => "they have done what counts before",
        "same_device" => "it is the device of who invites",
        "same_address" => "it is the address of who invites",
        other => other,
    }
}

/// `None` also where the project has events of its own that are called like those of a referral.
fn declared(world: &World, referral: Name) -> Option<&Referral> {
    let event = world.bundle.schema.events.get(&Name::new(JOINED))?;
    let tells = event.fields.iter().any(|field| field.name.as_str() == REFERRAL);
    world.bundle.values.referrals.get(&referral).filter(|_| tells)
}

fn lacking(declared: &Referral, marks: &Marks) -> Option<&'static str> {
    let lacks = |whom, given: &Option<String>| declared.refuses(whom) && given.is_none();
    let device = lacks("same_device", &marks.device).then_some("device");
    device.or(lacks("same_address", &marks.address).then_some("address"))
}

/// What speaks against whoever is invited, by what the bank knows of them.
fn against(
    world: &World,
    (referral, declared): (Name, &Referral),
    state: Option<&State>,
    now: Timestamp,
) -> Option<&'static str> {
    if !opening::is_open(declared.open.as_ref(), world, now) {
        return Some("closed");
    }
    let (state, sym) = (state?, world.symbols.sym(referral));
    let has_qualified = state.accounts.iter().any(|account| Some(account.what) == sym && account.total.0 > 0);
    let is_known = state.known && declared.refuses("existing_customer");
    has_qualified.then_some("qualified").or(is_known.then_some("existing_customer"))
}

fn same(referral: Name, declared: &Referral, code: &CodeRow, marks: &Marks) -> Option<&'static str> {
    let is_same = |whom, theirs: &Option<String>, given: &Option<String>| {
        let given = given.as_deref().map(|text| mark(referral, text));
        declared.refuses(whom) && given.is_some() && given == *theirs
    };
    let device = is_same("same_device", &code.device, &marks.device).then_some("same_device");
    device.or(is_same("same_address", &code.address, &marks.address).then_some("same_address"))
}

/// Of one referral only: two of them cannot be laid side by side.
fn mark(referral: Name, text: &str) -> String {
    let hash = digest(&SHA256, format!("{referral}/{}", text.trim().to_lowercase()).as_bytes());
    hex::of(hash.as_ref())
}

fn new_code() -> Option<String> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).ok()?;
    bytes.iter().map(|byte| LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter))).collect()
}

fn holder(declared: &Referral, id: &str) -> String {
    format!("{}/{id}", declared.subject)
}

/// The id in `customer/c1`.
#[must_use]
pub fn id_of(holder: &str) -> &str {
    holder.split_once('/').map_or(holder, |(_, id)| id)
}
