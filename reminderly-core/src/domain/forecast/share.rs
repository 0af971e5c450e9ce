//! Shares by weight, up to what each can use.

/// What somebody wants of something that is shared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) weight: f64,
    /// The most that it can use; may be infinite.
    pub(super) most: f64,
}

/// Shares `whole` by weight; what somebody cannot use is shared by the others. Answers by position.
pub(super) fn share(whole: f64, claims: &[Claim]) -> Vec<f64> {
    let mut order: Vec<(usize, Claim)> = claims.iter().copied().enumerate().collect();
    // Who is satisfied first at an equal rise of the level.
    order.sort_by(|(_, a), (_, b)| (a.most / a.weight).total_cmp(&(b.most / b.weight)));
    let (mut left, mut weights) = (whole, claims.iter().map(|claim| claim.weight).sum::<f64>());
    let mut shares = vec![0.0; claims.len()];
    for (index, claim) in order {
        let fair = if left.is_finite() { left * claim.weight / weights } else { f64::INFINITY };
        let share = fair.min(claim.most);
        if let Some(place) = shares.get_mut(index) {
            *place = share;
        }
        left = if left.is_finite() { (left - share).max(0.0) } else { left };
        weights -= claim.weight;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(whole: f64, claims: &[(f64, f64)]) -> Vec<f64> {
        let claims: Vec<Claim> =
            claims.iter().map(|(weight, most)| Claim { weight: *weight, most: *most }).collect();
        share(whole, &claims)
    }

    #[test]
    fn what_one_cannot_use_the_others_share() {
        let infinite = f64::INFINITY;
        assert_eq!(shares(12.0, &[(1.0, infinite), (2.0, infinite)]), [4.0, 8.0]);
        assert_eq!(shares(12.0, &[(1.0, infinite), (1.0, 2.0), (1.0, infinite)]), [5.0, 2.0, 5.0]);
        assert_eq!(shares(12.0, &[(1.0, 3.0), (1.0, 4.0)]), [3.0, 4.0]);
        assert_eq!(shares(infinite, &[(1.0, 3.0), (1.0, infinite)]), [3.0, infinite]);
        assert_eq!(shares(5.0, &[]), [0.0; 0]);
    }
}
