//! The histories of two subjects as one. Of a daily attribute the one that stays knows better; all else is added.

use crate::expr::AggregateFn;
use crate::step::features;
use crate::step::history::{Feature, MAX_RING, MAX_VOTES, Tally, Vote};
use crate::step::run::Run;
use crate::step::scene::Scene;
use crate::step::state::History;

pub(in crate::step) fn fold(run: &mut Run, gone: Vec<History>) {
    for history in gone {
        let place = features::place(&run.state.features, history.id, &history.subject);
        let Ok(at) = place else {
            run.state.features.insert(place.unwrap_or_else(|at| at), history);
            continue;
        };
        let kept = run.world.index().kept(history.id).cloned();
        let Some(mut own) = run.state.features.get_mut(at).map(|own| own.feature.clone()) else { continue };
        match kept {
            Some(kept) => {
                let scene = run.scene(&kept.loaded, &history.subject);
                add(&mut own, history.feature, kept.aggregate.function, &scene);
            }
            None => series(&mut own, history.feature),
        }
        if let Some(known) = run.state.features.get_mut(at) {
            known.feature = own;
        }
    }
}

fn add(own: &mut Feature, theirs: Feature, function: AggregateFn, scene: &Scene) {
    match (own, theirs) {
        (Feature::Total(own), Feature::Total(theirs)) => own.join(theirs, function, scene),
        (Feature::Days(own), Feature::Days(theirs)) => days(own, theirs, function, scene),
        (Feature::Votes(own), Feature::Votes(theirs)) => votes(own, theirs),
        (Feature::Ring(own), Feature::Ring(mut theirs)) => {
            own.append(&mut theirs);
            own.sort_by_key(|(at, _)| *at);
            let over = own.len().saturating_sub(MAX_RING);
            own.drain(..over);
        }
        (own, theirs) => series(own, theirs),
    }
}

fn days(own: &mut Vec<(i32, Tally)>, theirs: Vec<(i32, Tally)>, function: AggregateFn, scene: &Scene) {
    for (day, tally) in theirs {
        match own.binary_search_by_key(&day, |(known, _)| *known) {
            Ok(at) => {
                if let Some((_, known)) = own.get_mut(at) {
                    known.join(tally, function, scene);
                }
            }
            Err(at) => own.insert(at, (day, tally)),
        }
    }
}

fn votes(own: &mut Vec<Vote>, theirs: Vec<Vote>) {
    for mut vote in theirs {
        match own.iter().position(|known| known.day == vote.day && known.value == vote.value) {
            // Of values last seen in one instant the order tells which came last: it goes with that instant.
            Some(at) if own.get(at).is_some_and(|known| known.last < vote.last) => {
                vote.count = vote.count.saturating_add(own.remove(at).count);
                own.push(vote);
            }
            Some(at) => {
                if let Some(known) = own.get_mut(at) {
                    known.count = known.count.saturating_add(vote.count);
                }
            }
            None => own.push(vote),
        }
    }
    own.sort_by_key(|vote| (vote.day, vote.last));
    let over = own.len().saturating_sub(MAX_VOTES);
    own.drain(..over);
}

fn series(own: &mut Feature, theirs: Feature) {
    if let (Feature::Series(own), Feature::Series(theirs)) = (own, theirs) {
        for (day, value) in theirs {
            if let Err(at) = own.binary_search_by_key(&day, |(known, _)| *known) {
                own.insert(at, (day, value));
            }
        }
    }
}
