//! Lotteries as they are deployed: what is published is kept to from then on, every round of a `repeat` draws by itself, and the seed
//! is sealed until the lottery is over.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use wayfare::engine::EngineError;
use wayfare::lottery::audit::Auditor;
use wayfare::lottery::{Kept, Seal};
use wayfare::name::Name;
use wayfare::step::{Event, EventKind, RootKey};
use wayfare::value::Value;

use super::desk::told;
use super::rig::{Rig, Running, compiled, customer, until};
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    nothing_is_taken_from_what_is_published,
    every_round_draws_by_itself,
    nobody_reads_the_seed_in_the_store_before_the_end
);

const BANK: &str = r#"
channel push { kind push }
entity customer { key id : Id; consent : [channel] }
event stamped of customer {}
budget draws { total 10_000 CNY; owner "o@bank.example" }
lottery weekly "周周抽" of customer {
  open 2026-01-01..2027-12-31
  chance keep 7 days
  rules "pages/weekly.html"
  prize coupon "贴金券" { value 5 CNY; odds 1 in 4 }
  budget draws
}
journey draw_thrice of customer {
  purpose service
  owner "o@bank.example"
  enter on stamped
  reenter never
  repeat 1..3 {
    grant weekly.chance else continue
    draw weekly else continue
  }
  end drawn
}
"#;

fn known(now: Timestamp) -> (RootKey, Event) {
    let consent = Value::List(vec![Value::Choice(Name::new("push"))]);
    told(customer("li"), EventKind::Attributes, "known", now, vec![("consent", consent)])
}

async fn commitment(engine: &Running) -> String {
    engine.handle.lotteries().unwrap().lotteries().await.unwrap()[0].commitment.clone()
}

async fn nothing_is_taken_from_what_is_published(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(compiled(BANK)).await;
    let first = commitment(&engine).await;
    // Nobody has drawn yet, and it is refused all the same.
    for (now, than, why) in [
        ("1 in 40", "1 in 4", "`coupon` is won less often"),
        ("value 4 CNY", "value 5 CNY", "`coupon` is worth less"),
        ("2027-11-30", "2027-12-31", "it is not open whenever it was to be"),
    ] {
        let refused = engine.handle.deploy(compiled(&BANK.replace(than, now))).await.unwrap_err();
        let EngineError::Refused(said) = &refused else { panic!("{refused}") };
        assert!(said.starts_with("lottery `weekly` is published") && said.contains(why), "{said}");
    }
    assert_eq!(commitment(&engine).await, first);
    // What is better for everybody may come, with another seed.
    engine.handle.deploy(compiled(&BANK.replace("1 in 4", "1 in 2"))).await.unwrap();
    assert_ne!(commitment(&engine).await, first);
    engine.stop().await;
}

async fn every_round_draws_by_itself(place: Place) {
    let mut rig = Rig::on(place);
    let engine = rig.begin_with(compiled(BANK)).await;
    let now = rig.now();
    let stamped = told(customer("li"), EventKind::Declared(Name::new("stamped")), "stamped", now, vec![]);
    engine.handle.submit(vec![known(now), stamped]).await.unwrap();
    let kept = engine.handle.lotteries().unwrap();
    until("three draws", async || kept.lotteries().await.unwrap()[0].head.draws == 3).await;
    let (row, draws) =
        (kept.lotteries().await.unwrap().remove(0), kept.draws("weekly", 0, 10).await.unwrap());
    let tickets: BTreeSet<&str> = draws.iter().map(|drawn| &*drawn.record.draw.ticket).collect();
    assert_eq!(tickets.len(), 3, "without any `key` each round has a ticket of its own");
    let mut auditor = Auditor::new(&row.published()).unwrap();
    draws.iter().for_each(|drawn| auditor.take(&drawn.record));
    assert_eq!(auditor.end(Some((row.head.draws, &row.head.link))).faults, [""; 0]);
    engine.stop().await;
}

async fn nobody_reads_the_seed_in_the_store_before_the_end(place: Place) {
    let seal = |secret: &str| Some(Arc::new(Seal::new(secret.as_bytes()).unwrap()));
    let mut rig = Rig::on(place);
    rig.seal = seal("a secret of the bank");
    let engine = rig.begin_with(compiled(BANK)).await;
    let stamped =
        told(customer("li"), EventKind::Declared(Name::new("stamped")), "stamped", rig.now(), vec![]);
    engine.handle.submit(vec![known(rig.now()), stamped]).await.unwrap();
    let kept = engine.handle.lotteries().unwrap();
    until("three draws", async || kept.lotteries().await.unwrap()[0].head.draws == 3).await;
    let row = kept.lotteries().await.unwrap().remove(0);
    assert!(matches!(row.secret, Kept::Sealed(_)) && row.seed().is_none());
    engine.stop().await;
    // Whoever has no secret, or another one, could draw nothing.
    for (other, why) in
        [(None, "wayfare.toml has no `[lotteries]`"), (seal("of somebody else"), "another secret")]
    {
        rig.seal = other;
        let refused = rig.refusal().await.to_string();
        assert!(
            refused.starts_with("the seed of lottery `weekly` is sealed") && refused.contains(why),
            "{refused}"
        );
    }
    rig.seal = seal("a secret of the bank");
    rig.clock.set("2028-01-01T01:00:00Z".parse().unwrap());
    let engine = rig.run().await;
    let kept = engine.handle.lotteries().unwrap();
    until("its end", async || kept.lotteries().await.unwrap()[0].revealed.is_some()).await;
    let (row, draws) =
        (kept.lotteries().await.unwrap().remove(0), kept.draws("weekly", 0, 10).await.unwrap());
    assert_eq!(row.seed().map(wayfare::lottery::Seed::commitment), Some(row.commitment.clone()));
    let mut auditor = Auditor::new(&row.published()).unwrap();
    draws.iter().for_each(|drawn| auditor.take(&drawn.record));
    assert_eq!(auditor.end(Some((row.head.draws, &row.head.link))).faults, [""; 0]);
    engine.stop().await;
}
