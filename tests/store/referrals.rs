//! Who invites whom: of many links that are followed at once one counts, two cannot bring each other, and of who is
//! forgotten nothing stays.

use wayfare::store::{Binding, Bound, CodeRow, Commit, EdgeRow, Erased, Store, bucket};

use super::empty;
use crate::support::stores::{Place, on_both_stores};

on_both_stores!(
    a_code_is_handed_out_once,
    of_links_that_are_followed_at_once_one_counts,
    two_who_invite_each_other_at_once_close_no_circle,
    what_was_not_heard_of_is_found_until_it_is,
    who_is_forgotten_has_brought_nobody,
);

fn code(code: &str, inviter: &str) -> CodeRow {
    let referral = "friends".to_owned();
    CodeRow {
        code: code.to_owned(),
        referral,
        inviter: inviter.to_owned(),
        device: None,
        address: None,
        made: 7,
    }
}

fn link(inviter: &str, invitee: &str, at: i64) -> Binding {
    let edge = EdgeRow {
        referral: "friends".to_owned(),
        invitee: invitee.to_owned(),
        inviter: inviter.to_owned(),
        code: format!("OF-{inviter}"),
        at,
        until: at + 1_000,
        told: None,
    };
    Binding { edge, refused: None, refuses_cycles: true, is_last: false }
}

async fn bind(store: &dyn Store, binding: &Binding) -> Bound {
    store.referrals().unwrap().bind(binding).await.unwrap()
}

async fn a_code_is_handed_out_once(place: Place) {
    let store = place.open(false).await.unwrap();
    let kept = store.referrals().unwrap();
    assert_eq!(
        kept.hand_out(&code("AAA", "customer/wang")).await.unwrap(),
        Some(code("AAA", "customer/wang"))
    );
    // Asked again it is the same one; and a code that somebody has is nobody else's.
    assert_eq!(
        kept.hand_out(&code("BBB", "customer/wang")).await.unwrap(),
        Some(code("AAA", "customer/wang"))
    );
    assert_eq!(kept.hand_out(&code("AAA", "customer/li")).await.unwrap(), None);
    assert_eq!(kept.code("AAA").await.unwrap(), Some(code("AAA", "customer/wang")));
    assert_eq!(kept.code("BBB").await.unwrap(), None);
}

async fn of_links_that_are_followed_at_once_one_counts(place: Place) {
    let store = place.open(false).await.unwrap();
    let wanted: Vec<Binding> =
        (0..24).map(|n| link(&format!("customer/w{n}"), "customer/li", 10 + n)).collect();
    let bound = futures_util::future::join_all(wanted.iter().map(|wanted| bind(&*store, wanted))).await;
    let new: Vec<&Bound> = bound.iter().filter(|bound| matches!(bound, Bound::New(_))).collect();
    assert_eq!(new.len(), 1, "{bound:?}");
    let refused = Bound::Refused("linked".to_owned());
    assert_eq!(bound.iter().filter(|bound| **bound == refused).count(), 23);
    let (edges, refusals) = store.referrals().unwrap().links("customer/li", 100).await.unwrap();
    assert_eq!((edges.len(), refusals.len()), (1, 23));
    let first = link(&edges[0].inviter, "customer/li", 500);
    assert_eq!(bind(&*store, &first).await, Bound::Before(edges[0].clone()));
    // The first link is over: another may count.
    let late = link("customer/w99", "customer/li", 5_000);
    assert_eq!(bind(&*store, &late).await, Bound::New(late.edge.clone()));
}

async fn two_who_invite_each_other_at_once_close_no_circle(place: Place) {
    let store = place.open(false).await.unwrap();
    for n in 0..8 {
        let (a, b, c) = (format!("customer/a{n}"), format!("customer/b{n}"), format!("customer/c{n}"));
        let (ab, bc, ca) = (link(&a, &b, 10), link(&b, &c, 10), link(&c, &a, 10));
        let bound = tokio::join!(bind(&*store, &ab), bind(&*store, &bc), bind(&*store, &ca));
        let bound = [bound.0, bound.1, bound.2];
        let circle = Bound::Refused("cycle".to_owned());
        assert_eq!(bound.iter().filter(|bound| **bound == circle).count(), 1, "{bound:?}");
    }
    let (_, refusals) = store.referrals().unwrap().links("customer/a0", 10).await.unwrap();
    assert!(refusals.iter().all(|refusal| refusal.reason == "cycle" && refusal.times == 1));
}

async fn what_was_not_heard_of_is_found_until_it_is(place: Place) {
    let store = place.open(false).await.unwrap();
    let kept = store.referrals().unwrap();
    for (invitee, at) in [("customer/b", 20), ("customer/a", 10), ("customer/c", 30)] {
        bind(&*store, &link("customer/w", invitee, at)).await;
    }
    let unheard = kept.unheard(30, 10).await.unwrap();
    let who: Vec<&str> = unheard.iter().map(|edge| &*edge.invitee).collect();
    assert_eq!(who, ["customer/a", "customer/b"]);
    kept.heard(&unheard[0], 40).await.unwrap();
    assert_eq!(kept.unheard(100, 1).await.unwrap()[0].invitee, "customer/b");
    // Bound to somebody else later: what was heard of before is not this.
    let other = link("customer/x", "customer/a", 9_000);
    bind(&*store, &other).await;
    kept.heard(&unheard[0], 41).await.unwrap();
    assert!(kept.unheard(10_000, 10).await.unwrap().contains(&other.edge));
}

async fn who_is_forgotten_has_brought_nobody(place: Place) {
    let store = place.open(false).await.unwrap();
    let kept = store.referrals().unwrap();
    kept.hand_out(&code("AAA", "customer/wang")).await.unwrap();
    bind(&*store, &link("customer/wang", "customer/li", 10)).await;
    bind(&*store, &link("customer/zhao", "customer/li", 11)).await;
    bind(&*store, &link("customer/zhao", "customer/qian", 12)).await;
    let bucket = bucket::of("customer", "wang");
    let erased = |id: &str, entity: &str| Erased {
        group: store.lease().group(bucket),
        whom: 17,
        names: (String::new(), String::new()),
        tasks: (String::new(), String::new()),
        entity: entity.to_owned(),
        root: id.to_owned(),
        id: id.to_owned(),
    };
    // Another kind of the same name is somebody else.
    store.commit(&Commit { erased: vec![erased("wang", "branch")], ..empty(1) }).await.unwrap();
    assert_eq!(kept.links("customer/li", 10).await.unwrap().0.len(), 1);
    store.commit(&Commit { erased: vec![erased("wang", "customer")], ..empty(2) }).await.unwrap();
    let (edges, refusals) = kept.links("customer/li", 10).await.unwrap();
    assert_eq!((edges.len(), refusals.len()), (0, 1));
    assert_eq!(kept.code("AAA").await.unwrap(), None);
    store.commit(&Commit { erased: vec![erased("li", "customer")], ..empty(3) }).await.unwrap();
    assert_eq!(kept.links("customer/li", 10).await.unwrap().1, []);
    assert_eq!(kept.links("customer/zhao", 10).await.unwrap().0.len(), 1);
}
