//! What was measured, and its table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What is timed, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The deal room is read: from the moment the tablet wanted it to the whole answer.
    DealRoom,
    /// A new down payment (`dealStructure`), likewise.
    Write,
    /// A car is signed for (`dealContract`): the act that takes it from the others.
    Sign,
    /// From the finger on "sign" to the event on a tablet of the other server.
    ToldFromTap,
    /// From the answer of that mutation to the same event; 0 when the event came first.
    ToldFromAnswer,
}

impl Operation {
    const ALL: [Self; 5] = [Self::DealRoom, Self::Write, Self::Sign, Self::ToldFromTap, Self::ToldFromAnswer];

    const fn label(self) -> &'static str {
        match self {
            Self::DealRoom => "deal room (query)",
            Self::Write => "new down payment (dealStructure)",
            Self::Sign => "signature (dealContract)",
            Self::ToldFromTap => "car taken -> tablet told, from tap",
            Self::ToldFromAnswer => "car taken -> tablet told, from answer",
        }
    }
}

/// Times and failures of one run.
#[derive(Debug, Default)]
pub struct Figures {
    times: BTreeMap<Operation, Vec<Duration>>,
    failures: BTreeMap<Operation, u64>,
    /// What the failures said, each once with how often.
    pub said: BTreeMap<String, u64>,
}

impl Figures {
    /// One that went well.
    pub fn took(&mut self, operation: Operation, time: Duration) {
        self.times.entry(operation).or_default().push(time);
    }

    /// One that did not.
    pub fn failed(&mut self, operation: Operation, why: &str) {
        *self.failures.entry(operation).or_default() += 1;
        *self.said.entry(why.chars().take(200).collect()).or_default() += 1;
    }

    /// Takes over what somebody else measured.
    pub fn add(&mut self, other: Self) {
        other.times.into_iter().for_each(|(operation, times)| self.times.entry(operation).or_default().extend(times));
        other.failures.into_iter().for_each(|(operation, count)| *self.failures.entry(operation).or_default() += count);
        other.said.into_iter().for_each(|(text, count)| *self.said.entry(text).or_default() += count);
    }

    /// How many went well.
    pub fn count(&self, operation: Operation) -> usize {
        self.times.get(&operation).map_or(0, Vec::len)
    }

    /// How many did not, of all kinds.
    pub fn failures(&self) -> u64 {
        self.failures.values().sum()
    }

    /// The time that so many of a hundred did not exceed: the smallest one that is at least as long as their share (nearest rank).
    pub fn percentile(&self, operation: Operation, percent: usize) -> Duration {
        let Some(times) = self.times.get(&operation) else { return Duration::ZERO };
        let mut sorted = times.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

/// Milliseconds with one decimal.
fn ms(time: Duration) -> String {
    let tenths = (time.as_micros() + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// How many times as long, with one decimal.
fn growth(first: Duration, now: Duration) -> String {
    let tenths = (now.as_micros() * 10 + first.as_micros() / 2).checked_div(first.as_micros());
    tenths.map_or_else(|| "-".into(), |tenths| format!("x{}.{}", tenths / 10, tenths % 10))
}

/// The runs side by side, each with the number of its tablets; growth is against the first.
#[derive(Debug)]
pub struct Table<'a>(pub &'a [(usize, Figures)]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<38} {:>7} {:>7} {:>9} {:>9} {:>9} {:>7} {:>7} {:>7}",
            "operation (times in ms)", "tablets", "count", "p50", "p99", "max", "errors", "p50 is", "p99 is"
        )?;
        for operation in Operation::ALL {
            for (tablets, figures) in self.0 {
                let time = |percent| figures.percentile(operation, percent);
                let against = |percent| {
                    self.0.first().map_or_else(String::new, |(_, first)| growth(first.percentile(operation, percent), time(percent)))
                };
                writeln!(
                    f,
                    "{:<38} {tablets:>7} {:>7} {:>9} {:>9} {:>9} {:>7} {:>7} {:>7}",
                    operation.label(),
                    figures.count(operation),
                    ms(time(50)),
                    ms(time(99)),
                    ms(time(100)),
                    figures.failures.get(&operation).copied().unwrap_or_default(),
                    against(50),
                    against(99),
                )?;
            }
        }
        for (tablets, figures) in self.0 {
            for (text, count) in &figures.said {
                writeln!(f, "{tablets} tablets, {count} times: {text}")?;
            }
        }
        Ok(())
    }
}
