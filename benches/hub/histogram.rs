//! A histogram of durations: constant size, one increment per value, 1.6 % wide buckets.

/// Buckets for each power of two.
const FINE: u32 = 6;

pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    most: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; (64 - FINE as usize + 1) << FINE], total: 0, most: 0 }
    }

    pub(crate) fn record(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.total += 1;
        self.most = self.most.max(value);
    }

    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// The value below which the given part of all values lies; 0 if there are none.
    pub(crate) fn quantile(&self, part: f64) -> u64 {
        let rank = (part * self.total as f64).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank && seen > 0 {
                return middle(index).min(self.most);
            }
        }
        self.most
    }
}

fn bucket(value: u64) -> usize {
    let small = 1 << FINE;
    if value < small {
        return value as usize;
    }
    let power = value.ilog2() - FINE;
    (((power + 1) as usize) << FINE) + ((value >> power) - small) as usize
}

fn middle(bucket: usize) -> u64 {
    let small = 1 << FINE;
    if bucket < small {
        return bucket as u64;
    }
    let power = (bucket >> FINE) - 1;
    let low = ((bucket & (small - 1)) + small) as u64;
    (low << power) + ((1 << power) >> 1)
}
