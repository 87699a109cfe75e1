//! Mutations of valid inputs: the same sequence for the same seeds.

/// Makes one input after another.
pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    max_len: usize,
    state: u64,
}

impl Mutator {
    /// Starts from `seeds`, of which there must be one. No input is longer than `max_len`.
    pub(crate) fn new(seeds: Vec<Vec<u8>>, max_len: usize) -> Self {
        Self { seeds, max_len, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// A seed with one to four changes.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed();
        for _ in 0..=self.below(3) {
            self.change(&mut input);
        }
        input.truncate(self.max_len);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let place = self.below(input.len());
        let end = (place + self.below(16) + 1).min(input.len());
        match self.below(7) {
            0 => input.truncate(place),
            1 => drop(input.drain(place.min(end)..end)),
            2 => {
                let again = input[place.min(end)..end].to_vec();
                input.splice(place..place, again);
            }
            3 => {
                let other = self.seed();
                let from = self.below(other.len());
                input.truncate(place);
                input.extend_from_slice(&other[from..]);
            }
            4 => input.insert(place, self.telling()),
            5 => {
                let value = self.telling();
                input.get_mut(place).into_iter().for_each(|byte| *byte = value);
            }
            _ => {
                let bit = 1 << self.below(7);
                input.get_mut(place).into_iter().for_each(|byte| *byte ^= bit);
            }
        }
    }

    fn seed(&mut self) -> Vec<u8> {
        let index = self.below(self.seeds.len() - 1);
        self.seeds[index].clone()
    }

    /// A byte at the edge of something: of a number, of a text, of a syntax.
    fn telling(&mut self) -> u8 {
        const BYTES: &[u8] = b"\0\x01\x7f\x80\xff\"{}[]/\\:,-0 9aA\n.=\xc3";
        BYTES[self.below(BYTES.len() - 1)]
    }

    /// A number from 0 to `most` (xorshift64).
    fn below(&mut self, most: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % (most as u64 + 1)).expect("at most `most`")
    }
}
