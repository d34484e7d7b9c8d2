//! The references of bookings in an SQLite file: a keyed permutation of their ids. A reference does not
//! reveal how many bookings there are, and it leads to its booking without an index. An index of random
//! references would be slower: each booking would change a different page of it.

use super::codes::{REFERENCES, number_of_reference, reference_of_number};

/// A half of a reference: 30⁴ values.
const HALF: u64 = 810_000;
const _: () = assert!(HALF * HALF == REFERENCES);
/// 2³¹ − 1, a prime. A key's numbers are below it, so that nothing exceeds 64 bits.
const PRIME: u64 = 2_147_483_647;
const ROUNDS: usize = 4;

/// The key. It is made with the file and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceKey([(u64, u64); ROUNDS]);

impl ReferenceKey {
    /// `None` unless the text is eight numbers from 1 to [`PRIME`] − 1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text.split(' ').map(|it| it.parse().ok()).collect::<Option<_>>()?;
        let rounds: Vec<(u64, u64)> = numbers.chunks_exact(2).map(|it| (it[0], it[1])).collect();
        let is_whole = numbers.len() == 2 * ROUNDS && numbers.iter().all(|it| (1..PRIME).contains(it));
        rounds.try_into().ok().filter(|_| is_whole).map(Self)
    }

    /// The reference of an id.
    #[must_use]
    pub fn reference(&self, id: i64) -> String {
        let id = id.unsigned_abs() % REFERENCES;
        let halves = self.0.iter().fold((id / HALF, id % HALF), |(left, right), round| {
            (right, (left + scrambled(right, *round)) % HALF)
        });
        reference_of_number(halves.0 * HALF + halves.1)
    }

    /// The only id that can have this reference; `None`: it is no reference.
    #[must_use]
    pub fn id(&self, reference: &str) -> Option<i64> {
        let number = number_of_reference(reference)?;
        let halves = self.0.iter().rev().fold((number / HALF, number % HALF), |(left, right), round| {
            ((right + HALF - scrambled(left, *round)) % HALF, left)
        });
        i64::try_from(halves.0 * HALF + halves.1).ok()
    }
}

/// The round function of a Feistel network. The network is invertible although this function is not.
fn scrambled(half: u64, (add, multiply): (u64, u64)) -> u64 {
    let sum = half + add;
    sum * sum % PRIME * multiply % PRIME % HALF
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const KEY: &str = "1234567 7654321 2345678 8765432 3456789 98765 34567 876543";

    #[test]
    fn each_id_has_a_reference_of_its_own_that_leads_back_to_it() {
        let key = ReferenceKey::parse(KEY).expect("a key");
        let last = i64::try_from(REFERENCES).expect("it fits") - 1;
        let ids: Vec<i64> = (1..=100_000).chain([HALF as i64, last - 1, last]).collect();
        let references: HashSet<String> = ids.iter().map(|id| key.reference(*id)).collect();
        assert_eq!(references.len(), ids.len());
        for id in ids {
            assert_eq!(key.id(&key.reference(id)), Some(id));
        }
        assert_eq!(key.id("TK-7F3K"), None);
    }

    #[test]
    fn references_of_neighbors_and_of_other_keys_have_nothing_in_common() {
        let key = ReferenceKey::parse(KEY).expect("a key");
        let other = ReferenceKey::parse(&KEY.replace("34567 876543", "34568 876543")).expect("a key");
        let same = |one: &str, two: &str| one.bytes().zip(two.bytes()).filter(|(a, b)| a == b).count() - 4;
        let (mut of_neighbors, mut of_keys) = (0, 0);
        for id in 1..=1_000 {
            of_neighbors += same(&key.reference(id), &key.reference(id + 1));
            of_keys += same(&key.reference(id), &other.reference(id));
        }
        // By chance two references share 8/30 of a letter: 267 letters in 1,000 pairs.
        assert!(of_neighbors < 400, "{of_neighbors}");
        // The last round changes one half only.
        assert!(of_keys < 4_400, "{of_keys}");
    }

    /// Tried: without the second remainder, the last letters of such a key's references went up and down with the id.
    #[test]
    fn even_numbers_in_a_key_do_not_show() {
        let key = ReferenceKey::parse(&["8100000 2430000"; 4].join(" ")).expect("a key");
        let number = |id: i64| number_of_reference(&key.reference(id)).expect("a reference");
        let same_parity = (1..=1_000_i64).filter(|id| number(*id) % 2 == (*id % 2) as u64).count();
        assert!((400..600).contains(&same_parity), "{same_parity}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "1 2 3", &KEY.replace("98765", "0"), &KEY.replace("98765", "x"), &format!("{KEY} 1")]
        {
            assert_eq!(ReferenceKey::parse(text), None, "{text}");
        }
        assert_eq!(ReferenceKey::parse(&KEY.replace("98765", "2147483647")), None);
    }
}
