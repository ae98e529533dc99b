//! Who invites whom, in a store: codes, the one inviter of each who was invited, and links that did not count.
//!
//! Binding is a transaction of its own, and those of one referral come one after the other: of two links that are followed
//! at once one is the first, and no two close a circle. Whoever was bound is told by an event, which has the same identity
//! however often it is sent; an edge says whether that was done.

use super::Stored;

/// A code that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    pub code: String,
    pub referral: String,
    /// Who invites by it: `customer/c1`, as everybody here.
    pub inviter: String,
    /// Hashes of theirs.
    pub device: Option<String>,
    pub address: Option<String>,
    /// Milliseconds since 1970, as all instants here.
    pub made: i64,
}

/// Who brought whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRow {
    pub referral: String,
    pub invitee: String,
    pub inviter: String,
    pub code: String,
    /// When the link was followed.
    pub at: i64,
    /// From when on another link may count.
    pub until: i64,
    /// When the row of the invitee heard of it.
    pub told: Option<i64>,
}

/// Links from one to another that did not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalRow {
    pub referral: String,
    pub invitee: String,
    pub inviter: String,
    /// `self`, `cycle`, `linked`, `existing_customer`, …
    pub reason: String,
    pub first: i64,
    pub last: i64,
    pub times: i64,
}

/// A link that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub edge: EdgeRow,
    /// What speaks against it already.
    pub refused: Option<&'static str>,
    pub refuses_cycles: bool,
    /// Whether a later link takes the place of an earlier one.
    pub is_last: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    New(EdgeRow),
    /// By the same inviter, before: that one counts.
    Before(EdgeRow),
    /// It does not count, for this reason.
    Refused(String),
}

/// The referrals of a store.
pub trait Referrals: Send + Sync {
    /// Keeps a code; the one that its inviter has, if there is one before. `None`: somebody else has this code.
    fn hand_out<'a>(&'a self, code: &'a CodeRow) -> Stored<'a, Option<CodeRow>>;

    fn code<'a>(&'a self, code: &'a str) -> Stored<'a, Option<CodeRow>>;

    /// Once for each who is invited, whoever else is bound at the same time.
    fn bind<'a>(&'a self, binding: &'a Binding) -> Stored<'a, Bound>;

    /// The row of the invitee has heard of it.
    fn heard<'a>(&'a self, edge: &'a EdgeRow, at: i64) -> Stored<'a, ()>;

    /// The oldest `limit` that were bound before an instant, and that nobody has heard of.
    fn unheard(&self, before: i64, limit: usize) -> Stored<'_, Vec<EdgeRow>>;

    /// By whom `whom` was invited and whom they have brought, the oldest `limit`; and as many links that did not count.
    fn links<'a>(&'a self, whom: &'a str, limit: usize) -> Stored<'a, (Vec<EdgeRow>, Vec<RefusalRow>)>;
}

/// How long a link that counts does so, and who may be brought by whom.
pub(super) fn decide(binding: &Binding, known: Option<EdgeRow>, closes_circle: bool) -> Bound {
    let new = &binding.edge;
    let standing = known.filter(|edge| edge.until > new.at);
    if let Some(edge) = standing.as_ref().filter(|edge| edge.inviter == new.inviter) {
        return Bound::Before(edge.clone());
    }
    let is_circle = closes_circle && binding.refuses_cycles;
    let linked = standing.is_some() && !binding.is_last;
    match binding.refused.or(is_circle.then_some("cycle")).or(linked.then_some("linked")) {
        Some(reason) => Bound::Refused(reason.to_owned()),
        None => Bound::New(new.clone()),
    }
}

/// What is asked of both stores, in the same words.
pub(super) mod sql {
    pub(in crate::store) const HAND_OUT: &str =
        "INSERT INTO referral_code (code, referral, inviter, device, address, made)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    pub(in crate::store) const OWN_CODE: &str =
        "SELECT code, referral, inviter, device, address, made FROM referral_code
        WHERE referral = $1 AND inviter = $2";
    pub(in crate::store) const CODE: &str =
        "SELECT code, referral, inviter, device, address, made FROM referral_code WHERE code = $1";
    pub(in crate::store) const EDGE: &str =
        "SELECT referral, invitee, inviter, code, at, until, told FROM referral_edge
        WHERE referral = $1 AND invitee = $2";
    /// Whether the invitee ($2) is above the inviter ($3): each has one inviter at most, so this is one way up.
    pub(in crate::store) const CIRCLE: &str = "WITH RECURSIVE above (id) AS (
            SELECT inviter FROM referral_edge WHERE referral = $1 AND invitee = $3
            UNION
            SELECT edge.inviter FROM above JOIN referral_edge AS edge
                ON edge.referral = $1 AND edge.invitee = above.id)
        SELECT count(*) FROM above WHERE id = $2";
    pub(in crate::store) const BIND: &str =
        "INSERT INTO referral_edge (referral, invitee, inviter, code, at, until, told)
        VALUES ($1, $2, $3, $4, $5, $6, NULL)
        ON CONFLICT (referral, invitee) DO UPDATE SET inviter = excluded.inviter, code = excluded.code,
            at = excluded.at, until = excluded.until, told = NULL";
    pub(in crate::store) const REFUSE: &str =
        "INSERT INTO referral_refusal (referral, invitee, inviter, reason, first, last, times)
        VALUES ($1, $2, $3, $4, $5, $5, 1)
        ON CONFLICT (referral, invitee, inviter, reason) DO UPDATE SET last = excluded.last,
            times = referral_refusal.times + 1";
    pub(in crate::store) const HEARD: &str = "UPDATE referral_edge SET told = $4
        WHERE referral = $1 AND invitee = $2 AND at = $3 AND inviter = $5 AND told IS NULL";
    pub(in crate::store) const UNHEARD: &str =
        "SELECT referral, invitee, inviter, code, at, until, told FROM referral_edge
        WHERE told IS NULL AND at < $1 ORDER BY at LIMIT $2";
    pub(in crate::store) const LINKS: &str =
        "SELECT referral, invitee, inviter, code, at, until, told FROM referral_edge
        WHERE invitee = $1 OR inviter = $1 ORDER BY at, referral, invitee LIMIT $2";
    pub(in crate::store) const REFUSALS: &str =
        "SELECT referral, invitee, inviter, reason, first, last, times
        FROM referral_refusal WHERE invitee = $1 OR inviter = $1 ORDER BY first, referral, invitee LIMIT $2";
    /// Of who is forgotten nothing stays.
    pub(in crate::store) const FORGET: [&str; 3] = [
        "DELETE FROM referral_code WHERE inviter = $1",
        "DELETE FROM referral_edge WHERE invitee = $1 OR inviter = $1",
        "DELETE FROM referral_refusal WHERE invitee = $1 OR inviter = $1",
    ];
}

/// The statements of both stores. `$row`, `$tx` and `$pool`: of the driver.
macro_rules! queries {
    ($row:ty, $tx:ty, $pool:ty) => {
        fn code_of(row: &$row) -> Result<CodeRow, StoreError> {
            Ok(CodeRow {
                code: row.try_get(0)?,
                referral: row.try_get(1)?,
                inviter: row.try_get(2)?,
                device: row.try_get(3)?,
                address: row.try_get(4)?,
                made: row.try_get(5)?,
            })
        }

        fn edge_of(row: &$row) -> Result<EdgeRow, StoreError> {
            Ok(EdgeRow {
                referral: row.try_get(0)?,
                invitee: row.try_get(1)?,
                inviter: row.try_get(2)?,
                code: row.try_get(3)?,
                at: row.try_get(4)?,
                until: row.try_get(5)?,
                told: row.try_get(6)?,
            })
        }

        fn refusal_of(row: &$row) -> Result<RefusalRow, StoreError> {
            Ok(RefusalRow {
                referral: row.try_get(0)?,
                invitee: row.try_get(1)?,
                inviter: row.try_get(2)?,
                reason: row.try_get(3)?,
                first: row.try_get(4)?,
                last: row.try_get(5)?,
                times: row.try_get(6)?,
            })
        }

        async fn keep(tx: &mut $tx, new: &CodeRow) -> Result<Option<CodeRow>, StoreError> {
            let query = sqlx::query(sql::HAND_OUT).bind(&new.code).bind(&new.referral).bind(&new.inviter);
            query.bind(&new.device).bind(&new.address).bind(new.made).execute(&mut **tx).await?;
            let query = sqlx::query(sql::OWN_CODE).bind(&new.referral).bind(&new.inviter);
            query.fetch_optional(&mut **tx).await?.as_ref().map(code_of).transpose()
        }

        async fn settle(tx: &mut $tx, binding: &Binding) -> Result<Bound, StoreError> {
            let new = &binding.edge;
            let query = sqlx::query(sql::EDGE).bind(&new.referral).bind(&new.invitee);
            let known = query.fetch_optional(&mut **tx).await?.as_ref().map(edge_of).transpose()?;
            let query = sqlx::query_scalar(sql::CIRCLE).bind(&new.referral).bind(&new.invitee);
            let above: i64 = query.bind(&new.inviter).fetch_one(&mut **tx).await?;
            let bound = decide(binding, known, above > 0);
            match &bound {
                Bound::New(new) => {
                    let query = sqlx::query(sql::BIND).bind(&new.referral).bind(&new.invitee);
                    let query = query.bind(&new.inviter).bind(&new.code).bind(new.at).bind(new.until);
                    query.execute(&mut **tx).await?;
                }
                Bound::Refused(reason) => {
                    let query = sqlx::query(sql::REFUSE).bind(&new.referral).bind(&new.invitee);
                    query.bind(&new.inviter).bind(reason).bind(new.at).execute(&mut **tx).await?;
                }
                Bound::Before(_) => {}
            }
            Ok(bound)
        }

        async fn note(tx: &mut $tx, edge: &EdgeRow, at: i64) -> Result<(), StoreError> {
            let query = sqlx::query(sql::HEARD).bind(&edge.referral).bind(&edge.invitee).bind(edge.at);
            query.bind(at).bind(&edge.inviter).execute(&mut **tx).await?;
            Ok(())
        }

        async fn code(pool: &$pool, code: &str) -> Result<Option<CodeRow>, StoreError> {
            let found = sqlx::query(sql::CODE).bind(code).fetch_optional(pool).await?;
            found.as_ref().map(code_of).transpose()
        }

        async fn unheard(pool: &$pool, before: i64, limit: usize) -> Result<Vec<EdgeRow>, StoreError> {
            let query = sqlx::query(sql::UNHEARD).bind(before).bind(row::signed(limit));
            query.fetch_all(pool).await?.iter().map(edge_of).collect()
        }

        async fn links(
            pool: &$pool,
            whom: &str,
            limit: usize,
        ) -> Result<(Vec<EdgeRow>, Vec<RefusalRow>), StoreError> {
            let query = sqlx::query(sql::LINKS).bind(whom).bind(row::signed(limit));
            let edges = query.fetch_all(pool).await?.iter().map(edge_of).collect::<Result<_, _>>()?;
            let query = sqlx::query(sql::REFUSALS).bind(whom).bind(row::signed(limit));
            let refusals = query.fetch_all(pool).await?.iter().map(refusal_of).collect::<Result<_, _>>()?;
            Ok((edges, refusals))
        }

        /// Whoever a commit forgets.
        pub(super) async fn forget(tx: &mut $tx, commit: &Commit) -> Result<(), StoreError> {
            for gone in &commit.erased {
                let whom = format!("{}/{}", gone.entity, gone.id);
                for statement in sql::FORGET {
                    sqlx::query(statement).bind(&whom).execute(&mut **tx).await?;
                }
            }
            Ok(())
        }
    };
}
pub(super) use queries;

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(inviter: &str, at: i64) -> EdgeRow {
        let (referral, invitee) = ("friends".to_owned(), "li".to_owned());
        EdgeRow {
            referral,
            invitee,
            inviter: inviter.to_owned(),
            code: "K".to_owned(),
            at,
            until: at + 100,
            told: None,
        }
    }

    fn binding(inviter: &str, at: i64) -> Binding {
        Binding { edge: edge(inviter, at), refused: None, refuses_cycles: true, is_last: false }
    }

    #[test]
    fn the_first_link_counts_while_it_is_good_and_the_last_where_that_is_said() {
        let first = Some(edge("wang", 0));
        assert_eq!(decide(&binding("zhao", 99), first.clone(), false), Bound::Refused("linked".to_owned()));
        assert_eq!(decide(&binding("zhao", 100), first.clone(), false), Bound::New(edge("zhao", 100)));
        let last = Binding { is_last: true, ..binding("zhao", 99) };
        assert_eq!(decide(&last, first.clone(), false), Bound::New(edge("zhao", 99)));
        // Followed again it is the same link, whatever speaks against a new one.
        let again = Binding { refused: Some("existing_customer"), ..binding("wang", 99) };
        assert_eq!(decide(&again, first, false), Bound::Before(edge("wang", 0)));
        assert_eq!(decide(&again, None, false), Bound::Refused("existing_customer".to_owned()));
        assert_eq!(decide(&binding("wang", 0), None, true), Bound::Refused("cycle".to_owned()));
        let lenient = Binding { refuses_cycles: false, ..binding("wang", 0) };
        assert_eq!(decide(&lenient, None, true), Bound::New(edge("wang", 0)));
    }
}
