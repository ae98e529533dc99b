use jiff::civil::{Date, Time, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::expr::SpanUnit;
use crate::name::Name;
use crate::value::{CivilUnit, Length, Value};

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn utc(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn civil(count: i32, unit: CivilUnit) -> Length {
    Length::Civil { count, unit }
}

/// The National Day week of 2026 with its make-up Saturday.
fn cn_bank() -> Calendar {
    let days = (1..=7).map(|day| format!("2026-10-0{day},holiday,国庆节")).collect::<Vec<_>>().join("\n");
    Calendar::parse(&format!("date,kind,name\n{days}\n2026-10-10,workday,国庆节调休\n")).unwrap()
}

#[test]
fn a_calendar_knows_holidays_and_make_up_workdays() {
    let calendar = cn_bank();
    assert!(!calendar.is_workday(date(2026, 10, 1)));
    assert!(calendar.is_workday(date(2026, 10, 10)), "a Saturday that is worked");
    assert!(!calendar.is_workday(date(2026, 10, 11)));
    assert_eq!(calendar.roll_back(date(2026, 10, 7)), Some(date(2026, 9, 30)));
    assert_eq!(calendar.roll_forward(date(2026, 10, 1)), Some(date(2026, 10, 8)));
    let three = civil(3, CivilUnit::Workday);
    assert_eq!(shift_date(date(2026, 10, 12), three, true, Some(&calendar)), Some(date(2026, 10, 8)));
    assert_eq!(shift_date(date(2026, 9, 30), three, false, Some(&calendar)), Some(date(2026, 10, 10)));
}

#[test]
fn every_bad_line_of_a_calendar_is_reported() {
    let text = "date,kind,name\n2026-10-01,holiday,国庆节\n2026-13-01,holiday,\n2026-10-02,party,\n2026-10-01,workday,\n";
    let errors = Calendar::parse(text).unwrap_err();
    let told: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.line, error.message)).collect();
    assert_eq!(
        told,
        [
            "3: `2026-13-01` is not a date like 2026-10-01",
            "4: `party` is neither `holiday` nor `workday`",
            "5: 2026-10-01 is here twice",
        ]
    );
    assert_eq!(Calendar::parse("day,what\n").unwrap_err()[0].line, 1);
    assert!(Calendar::parse("\u{feff}date,kind,name\r\n2026-10-01,holiday,国庆节\r\n").is_ok());
}

#[test]
fn months_clamp_and_leap_days_fall_back() {
    let month = civil(1, CivilUnit::Month);
    assert_eq!(shift_date(date(2027, 1, 31), month, false, None), Some(date(2027, 2, 28)));
    assert_eq!(shift_date(date(2028, 1, 31), month, false, None), Some(date(2028, 2, 29)));
    assert_eq!(
        shift_date(date(2028, 2, 29), civil(1, CivilUnit::Year), false, None),
        Some(date(2029, 2, 28))
    );
    assert_eq!(shift_date(Date::MAX, civil(1, CivilUnit::Day), false, None), None);
}

#[test]
fn a_gap_gives_the_first_valid_instant_and_a_fold_the_first() {
    let berlin = zone("Europe/Berlin");
    // Clocks go from 02:00 to 03:00 on 2027-03-28, and from 03:00 back to 02:00 on 2026-10-25.
    for inside in [time(2, 0, 0, 0), time(2, 30, 0, 0), time(2, 59, 59, 0)] {
        assert_eq!(moment_at(date(2027, 3, 28), inside, &berlin), Some(utc("2027-03-28T01:00:00Z")));
    }
    assert_eq!(moment_at(date(2026, 10, 25), time(2, 30, 0, 0), &berlin), Some(utc("2026-10-25T00:30:00Z")));
    let day = civil(1, CivilUnit::Day);
    let before = utc("2027-03-27T08:00:00Z");
    assert_eq!(shift_moment(before, day, false, &berlin, None), Some(utc("2027-03-28T07:00:00Z")));
    let hours = Length::Elapsed(24 * 3_600_000);
    assert_eq!(shift_moment(before, hours, false, &berlin, None), Some(utc("2027-03-28T08:00:00Z")));
}

#[test]
fn windows_of_days_are_whole_days_with_today() {
    let shanghai = zone("Asia/Shanghai");
    let now = utc("2026-11-21T02:30:00Z");
    let start = |length| last_window_start(length, now, &shanghai, None).unwrap().to_string();
    assert_eq!(start(civil(1, CivilUnit::Day)), "2026-11-20T16:00:00Z");
    assert_eq!(start(civil(90, CivilUnit::Day)), "2026-08-23T16:00:00Z");
    assert_eq!(start(civil(12, CivilUnit::Month)), "2025-11-21T16:00:00Z");
    assert_eq!(start(civil(1, CivilUnit::Workday)), "2026-11-19T16:00:00Z", "Friday, as today is Saturday");
    assert_eq!(start(Length::Elapsed(3_600_000)), "2026-11-21T01:30:00Z");
}

fn schedule(every: Every, at: &[Time]) -> Schedule {
    Schedule { every, at: at.to_vec(), during: None, calendar: None }
}

const TEN: Time = Time::constant(10, 0, 0, 0);

#[test]
fn schedules_occur_at_their_clock_times() {
    let shanghai = zone("Asia/Shanghai");
    let calendar = cn_bank();
    let next = |schedule: &Schedule, after: &str| {
        next_occurrence(schedule, utc(after), &shanghai, Some(&calendar)).unwrap().to_string()
    };
    let daily = schedule(Every::Day, &[TEN, time(18, 0, 0, 0)]);
    assert_eq!(next(&daily, "2026-11-21T02:00:00Z"), "2026-11-21T10:00:00Z", "strictly after");
    assert_eq!(next(&daily, "2026-11-21T10:00:00Z"), "2026-11-22T02:00:00Z");
    let workdays = schedule(Every::Workday, &[TEN]);
    assert_eq!(next(&workdays, "2026-09-30T02:00:00Z"), "2026-10-08T02:00:00Z");
    let month_end = schedule(Every::MonthDay(31), &[TEN]);
    assert_eq!(next(&month_end, "2027-01-31T02:00:00Z"), "2027-02-28T02:00:00Z");
    let last_friday = schedule(Every::LastWeekday(WeekdayName(5)), &[TEN]);
    assert_eq!(next(&last_friday, "2026-11-21T02:30:00Z"), "2026-11-27T02:00:00Z");
    let mondays = schedule(Every::Weekdays(vec![WeekdayName(1)]), &[TEN]);
    assert_eq!(next(&mondays, "2026-11-21T02:30:00Z"), "2026-11-23T02:00:00Z");
    let quarter_hours = schedule(Every::Elapsed(900_000), &[]);
    assert_eq!(next(&quarter_hours, "2026-11-21T02:30:00Z"), "2026-11-21T02:45:00Z");
}

#[test]
fn a_schedule_with_a_period_begins_and_ends() {
    let shanghai = zone("Asia/Shanghai");
    let season = Some((date(2026, 12, 1), date(2026, 12, 2)));
    for every in [Every::Day, Every::Elapsed(86_400_000)] {
        let schedule = Schedule { during: season, ..schedule(every, &[TEN]) };
        let first = next_occurrence(&schedule, utc("2026-11-21T00:00:00Z"), &shanghai, None).unwrap();
        assert_eq!(date_of(first, &shanghai), date(2026, 12, 1));
        assert_eq!(next_occurrence(&schedule, utc("2026-12-03T00:00:00Z"), &shanghai, None), None);
        let last = previous_occurrence(&schedule, utc("2027-06-01T00:00:00Z"), &shanghai, None).unwrap();
        assert_eq!(date_of(last, &shanghai), date(2026, 12, 2));
    }
}

#[test]
fn a_payday_rolls_back_and_a_notice_goes_out_workdays_before() {
    let shanghai = zone("Asia/Shanghai");
    let calendar = cn_bank();
    let monthly = schedule(Every::MonthOn(Name::new("pay_day")), &[]);
    let payday = Recurrence {
        on: Value::Int(5),
        roll_back: Some(true),
        shift: Some((civil(3, CivilUnit::Workday), true)),
        at: Some(TEN),
        ..Recurrence::plain(&monthly, &shanghai, Some(&calendar))
    };
    // October 5 is a holiday: paid on September 30; three workdays before is September 25.
    let found = payday.next(utc("2026-09-10T00:00:00Z")).unwrap();
    assert_eq!((found.date, found.moment), (date(2026, 10, 5), utc("2026-09-25T02:00:00Z")));
    assert_eq!(payday.previous(utc("2026-10-01T00:00:00Z")), Some(found));
    assert_eq!(payday.next(found.moment).unwrap().date, date(2026, 11, 5));
}

#[test]
fn a_birthday_on_a_leap_day_comes_every_year() {
    let shanghai = zone("Asia/Shanghai");
    let yearly = schedule(Every::YearOn(Name::new("birthday")), &[TEN]);
    let birthday =
        Recurrence { on: Value::Date(date(1992, 2, 29)), ..Recurrence::plain(&yearly, &shanghai, None) };
    let mut at = utc("2026-03-01T00:00:00Z");
    let mut dates = Vec::new();
    for _ in 0..3 {
        let found = birthday.next(at).unwrap();
        dates.push(found.date.to_string());
        at = found.moment;
    }
    assert_eq!(dates, ["2027-02-28", "2028-02-29", "2029-02-28"]);
    let nobody = Recurrence { on: Value::Missing, ..birthday };
    assert_eq!(nobody.next(at), None);
}

fn any_date() -> impl Strategy<Value = Date> {
    (1950_i16..2100, 1_i8..=12, 1_i8..=28, 0_i8..=3)
        .prop_map(|(y, m, d, more)| Date::new(y, m, (d + more).min(date(y, m, 1).days_in_month())).unwrap())
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    let names =
        ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"];
    prop::sample::select(names.to_vec()).prop_map(zone)
}

fn any_schedule() -> impl Strategy<Value = (Schedule, Value)> {
    let plain = prop_oneof![
        Just(Every::Day),
        Just(Every::Workday),
        (1_u8..=31).prop_map(Every::MonthDay),
        (1_i8..=7).prop_map(|day| Every::LastWeekday(WeekdayName(day))),
        (1_i8..=7).prop_map(|day| Every::Weekdays(vec![WeekdayName(day)])),
        (60_000_i64..1_000_000_000).prop_map(Every::Elapsed),
    ]
    .prop_map(|every| (every, Value::Missing));
    let yearly = any_date().prop_map(|on| (Every::YearOn(Name::new("birthday")), Value::Date(on)));
    let monthly = (1_i64..=31).prop_map(|day| (Every::MonthOn(Name::new("pay_day")), Value::Int(day)));
    (prop_oneof![plain, yearly, monthly], 0_i8..24)
        .prop_map(|((every, on), hour)| (schedule(every, &[time(hour, 0, 0, 0)]), on))
}

proptest! {
    #[test]
    fn a_clock_time_never_comes_early(day in any_date(), hour in 0_i8..24, minute in 0_i8..60, zone in any_zone()) {
        let wanted = day.at(hour, minute, 0, 0);
        let moment = moment_at(day, wanted.time(), &zone).unwrap();
        let local = zone.to_datetime(moment);
        prop_assert!(local >= wanted);
        if local == wanted {
            let before = moment.checked_sub(SignedDuration::from_hours(1)).unwrap();
            prop_assert!(zone.to_datetime(before) < wanted, "the first of a fold");
        } else {
            let just_before = moment.checked_sub(SignedDuration::from_nanos(1)).unwrap();
            prop_assert!(zone.to_datetime(just_before) < wanted, "nothing valid lies between");
        }
    }

    #[test]
    fn spans_hold_their_day_and_touch_the_next(day in any_date(), unit in prop::sample::select(vec![
        SpanUnit::Day, SpanUnit::Week, SpanUnit::Month, SpanUnit::Quarter, SpanUnit::Year,
    ])) {
        let (first, last) = span_of(unit, day).unwrap();
        prop_assert!(first <= day && day <= last);
        let (next, _) = span(unit, 1, day).unwrap();
        prop_assert_eq!(last.tomorrow().unwrap(), next);
        prop_assert_eq!(span(unit, -1, next).unwrap(), (first, last));
    }

    #[test]
    fn workdays_come_back(day in any_date(), count in 1_i32..300) {
        let calendar = cn_bank();
        let by = civil(count, CivilUnit::Workday);
        let start = calendar.roll_forward(day).unwrap();
        let there = shift_date(start, by, false, Some(&calendar)).unwrap();
        prop_assert!(calendar.is_workday(there));
        prop_assert_eq!(shift_date(there, by, true, Some(&calendar)), Some(start));
    }

    #[test]
    fn occurrences_are_ordered_and_lose_none(
        (schedule, on) in any_schedule(), day in any_date(), zone in any_zone(),
        roll_back in prop::option::of(any::<bool>()), shift in prop::option::of((-9_i32..9, any::<bool>())),
    ) {
        let after = start_of_day(day, &zone).unwrap();
        let shift = shift.map(|(count, back)| (civil(count, CivilUnit::Day), back));
        let recurrence = Recurrence { on, roll_back, shift, ..Recurrence::plain(&schedule, &zone, None) };
        let first = recurrence.next(after).unwrap();
        let second = recurrence.next(first.moment).unwrap();
        prop_assert!(after < first.moment && first.moment < second.moment);
        let just_before = second.moment.checked_sub(SignedDuration::from_millis(1)).unwrap();
        prop_assert_eq!(recurrence.previous(just_before).unwrap().moment, first.moment, "nothing between them");
        prop_assert_eq!(recurrence.previous(first.moment).unwrap().moment, first.moment, "at or before");
    }
}
