use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn window(opens: i64, closes: i64, messages: u64) -> WaitingWindow {
    let at = |seconds| NOW + TimeDelta::seconds(seconds);
    WaitingWindow { method: ContactMethod::Sms, opens_at: at(opens), closes_at: at(closes), messages }
}

fn load(company: u128, windows: &[WaitingWindow]) -> Load {
    Load {
        company: Uuid::from_u128(company).into(),
        weight: NonZeroU32::MIN,
        company_rate: f64::INFINITY,
        campaign: Uuid::from_u128(company).into(),
        campaign_rate: f64::INFINITY,
        packet: Uuid::from_u128(company).into(),
        windows: windows.to_vec(),
    }
}

fn unsent(capacity: f64, loads: &[Load]) -> Vec<Vec<u64>> {
    let found = forecast(NOW, capacity, loads).into_iter();
    found.map(|windows| windows.iter().map(|window| window.unsent).collect()).collect()
}

#[test]
fn what_can_go_in_time_goes() {
    assert_eq!(unsent(10.0, &[load(1, &[window(0, 100, 1_000)])]), [[0]]);
    assert_eq!(unsent(10.0, &[load(1, &[window(0, 100, 1_001)])]), [[1]]);
    assert_eq!(unsent(10.0, &[load(1, &[window(50, 100, 1_000)])]), [[500]], "no sooner than it may");
    assert_eq!(unsent(f64::INFINITY, &[load(1, &[window(50, 100, 1_000)])]), [[0]]);
    assert_eq!(unsent(0.0, &[load(1, &[window(0, 100, 7)])]), [[7]]);
    assert_eq!(unsent(10.0, &[load(1, &[window(-50, -10, 7)])]), [[7]], "it has closed");
}

#[test]
fn the_rate_is_told_until_all_have_gone() {
    let found = forecast(NOW, 10.0, &[load(1, &[window(0, 100, 500), window(0, 100, 700)])]);
    assert_eq!((found[0][0].rate, found[0][0].unsent), (10.0, 0));
    assert_eq!((found[0][1].rate, found[0][1].unsent), (5.0, 200));
}

#[test]
fn the_window_that_closes_first_goes_first() {
    let windows = [window(0, 200, 1_000), window(20, 60, 400), window(30, 50, 100)];
    assert_eq!(unsent(10.0, &[load(1, &windows)]), [[0, 100, 0]]);
}

#[test]
fn companies_share_by_weight_and_get_what_others_do_not_need() {
    let large = load(1, &[window(0, 100, 10_000)]);
    let small = load(2, &[window(0, 100, 100)]);
    assert_eq!(unsent(10.0, &[large.clone(), small.clone()]), [[9_100], [0]]);
    let heavy = Load { weight: NonZeroU32::new(3).unwrap(), ..large };
    let light = load(2, &[window(0, 100, 10_000)]);
    assert_eq!(unsent(10.0, &[heavy, light]), [[9_250], [9_750]]);
}

#[test]
fn limits_of_campaigns_and_companies_count() {
    let slow = Load { campaign_rate: 1.0, ..load(1, &[window(0, 100, 150)]) };
    let same = Load { packet: Uuid::from_u128(9).into(), ..slow.clone() };
    assert_eq!(unsent(10.0, std::slice::from_ref(&slow)), [[50]]);
    assert_eq!(unsent(10.0, &[slow, same]), [[100], [100]], "the campaign's packets share its limit");
    let poor = Load { company_rate: 2.0, ..load(1, &[window(0, 100, 300)]) };
    assert_eq!(unsent(10.0, &[poor, load(2, &[window(0, 100, 800)])]), [[100], [0]]);
}

proptest! {
    /// One load alone: as many go as any order of sending can bring out in time (a schedule second by second).
    #[test]
    fn it_agrees_with_a_schedule_second_by_second(
        windows in prop::collection::vec((0_i64..40, 1_i64..40, 1_u64..60), 1..6),
        capacity in 1_u32..9,
    ) {
        let windows: Vec<WaitingWindow> =
            windows.into_iter().map(|(opens, length, messages)| window(opens, opens + length, messages)).collect();
        let found: u64 = unsent(f64::from(capacity), &[load(1, &windows)])[0].iter().sum();
        let mut left: Vec<u64> = windows.iter().map(|window| window.messages).collect();
        for second in 0..80 {
            for _ in 0..capacity {
                let now = NOW + TimeDelta::seconds(second);
                let open = windows.iter().zip(&mut left).filter(|(window, left)| {
                    **left > 0 && window.opens_at <= now && now < window.closes_at
                });
                if let Some((_, left)) = open.min_by_key(|(window, _)| window.closes_at) {
                    *left -= 1;
                }
            }
        }
        // A second of the schedule cannot be shared where the liquid can.
        let schedule: u64 = left.iter().sum();
        prop_assert!(found <= schedule && schedule - found <= 80 * u64::from(capacity), "{found} {schedule}");
        prop_assert!(found.abs_diff(schedule) <= u64::from(capacity) * 6, "{found} {schedule}");
    }
}
