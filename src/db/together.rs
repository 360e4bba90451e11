//! Questions that wait together become one statement.
//!
//! A statement costs the same round trip and the same start of a plan for one row as for thirty. The first question goes out
//! at once; those that come while it is under way gather, and go out as one when it is back. Nobody waits for company: on an
//! idle server every question is a statement of its own, and the busier the server, the fewer statements per question.
//!
//! - Only questions of one key go together. What the asker may see belongs into the key.
//! - A question goes out after it came: its answer is as fresh as that of a statement of its own.
//! - When a joint statement fails, each asks alone: nobody suffers from another's question.
//! - A joint statement belongs to nobody: an asker who goes away takes no answer along.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::DbError;

/// Statements of one key that may be under way at once.
const LANES: usize = 2;

/// Questions in one statement.
const MOST: usize = 64;

type Run<K, Q, A> = dyn Fn(K, Vec<Q>) -> BoxFuture<'static, Result<Vec<A>, DbError>> + Send + Sync;

/// Gathers questions `Q` of a key `K`, to be answered by `A`. Clones share.
pub(crate) struct Together<K, Q, A> {
    run: Arc<Run<K, Q, A>>,
    lines: Arc<Mutex<HashMap<K, Line<Q, A>>>>,
}

/// The questions of one key.
struct Line<Q, A> {
    under_way: usize,
    waiting: Vec<Waiting<Q, A>>,
}

struct Waiting<Q, A> {
    question: Q,
    /// Dropped without an answer when the joint statement failed.
    answer: oneshot::Sender<A>,
}

/// Whether a question goes out now.
enum Place<A> {
    Now,
    WithOthers(oneshot::Receiver<A>),
}

impl<K, Q, A> Together<K, Q, A>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    Q: Clone + Send + 'static,
    A: Send + 'static,
{
    /// `run` puts any number of questions of one key into one statement, and gives as many answers in their order. It gets `of`,
    /// usually the database.
    pub(crate) fn new<D, F>(of: &D, run: impl Fn(D, K, Vec<Q>) -> F + Send + Sync + 'static) -> Self
    where
        D: Clone + Send + Sync + 'static,
        F: Future<Output = Result<Vec<A>, DbError>> + Send + 'static,
    {
        let of = of.clone();
        Self { run: Arc::new(move |key, questions| run(of.clone(), key, questions).boxed()), lines: Arc::default() }
    }

    /// Asks.
    pub(crate) async fn ask(&self, key: &K, question: Q) -> Result<A, DbError> {
        match self.enter(key, &question) {
            Place::Now => {
                let _lane = Lane { of: self, key };
                self.alone(key, question).await
            }
            Place::WithOthers(answer) => match answer.await {
                Ok(answer) => Ok(answer),
                Err(_joint_statement_failed) => self.alone(key, question).await,
            },
        }
    }

    async fn alone(&self, key: &K, question: Q) -> Result<A, DbError> {
        let answer = (self.run)(key.clone(), vec![question]).await?.pop();
        answer.ok_or_else(|| DbError::Corrupt("a question without an answer".into()))
    }

    fn enter(&self, key: &K, question: &Q) -> Place<A> {
        let mut lines = self.lines();
        if let Some(line) = lines.get_mut(key) {
            if line.under_way < LANES {
                line.under_way += 1;
                return Place::Now;
            }
            let (sender, answer) = oneshot::channel();
            line.waiting.push(Waiting { question: question.clone(), answer: sender });
            return Place::WithOthers(answer);
        }
        lines.insert(key.clone(), Line { under_way: 1, waiting: Vec::new() });
        Place::Now
    }

    /// Ends a lane, or hands it to those who came meanwhile.
    fn leave(&self, key: &K) {
        let mut lines = self.lines();
        let Some(line) = lines.get_mut(key) else { return };
        if !line.waiting.is_empty()
            && let Ok(runtime) = Handle::try_current()
        {
            drop(lines);
            runtime.spawn(self.clone().carry_on(key.clone()));
            return;
        }
        line.under_way = line.under_way.saturating_sub(1);
        if line.under_way == 0 {
            lines.remove(key);
        }
    }

    /// Answers those who wait until nobody does.
    async fn carry_on(self, key: K) {
        let _lane = Lane { of: &self, key: &key };
        loop {
            let (questions, askers) = self.gathered(&key);
            if questions.is_empty() {
                return;
            }
            // On failure the askers are dropped, and ask alone; what went wrong they find out then.
            if let Ok(answers) = (self.run)(key.clone(), questions).await {
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // One who went away needs no answer.
                    let _ = asker.send(answer);
                }
            }
        }
    }

    fn gathered(&self, key: &K) -> (Vec<Q>, Vec<oneshot::Sender<A>>) {
        let mut lines = self.lines();
        let Some(line) = lines.get_mut(key) else { return (Vec::new(), Vec::new()) };
        let many = line.waiting.len().min(MOST);
        line.waiting.drain(..many).map(|w| (w.question, w.answer)).unzip()
    }
}

impl<K, Q, A> Together<K, Q, A> {
    fn lines(&self) -> MutexGuard<'_, HashMap<K, Line<Q, A>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement that is under way. Left when dropped, however its future ended.
struct Lane<'a, K, Q, A>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    Q: Clone + Send + 'static,
    A: Send + 'static,
{
    of: &'a Together<K, Q, A>,
    key: &'a K,
}

impl<K, Q, A> Drop for Lane<'_, K, Q, A>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    Q: Clone + Send + 'static,
    A: Send + 'static,
{
    fn drop(&mut self) {
        self.of.leave(self.key);
    }
}

impl<K, Q, A> Clone for Together<K, Q, A> {
    fn clone(&self) -> Self {
        Self { run: Arc::clone(&self.run), lines: Arc::clone(&self.lines) }
    }
}

impl<K, Q, A> fmt::Debug for Together<K, Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

/// Gives each asker the rows it asked for, in the order of the rows.
pub(crate) fn deal_out<I: Eq + Hash + Copy, R: Clone>(asked: &[Vec<I>], rows: Vec<R>, id: impl Fn(&R) -> I) -> Vec<Vec<R>> {
    if let [_] = asked {
        return vec![rows];
    }
    let mut askers: HashMap<I, Vec<usize>> = HashMap::new();
    for (asker, ids) in asked.iter().enumerate() {
        for id in ids {
            let of_id = askers.entry(*id).or_default();
            if of_id.last() != Some(&asker) {
                of_id.push(asker);
            }
        }
    }
    let mut answers: Vec<Vec<R>> = asked.iter().map(|ids| Vec::with_capacity(ids.len())).collect();
    for row in rows {
        for asker in askers.get(&id(&row)).into_iter().flatten() {
            if let Some(answer) = answers.get_mut(*asker) {
                answer.push(row.clone());
            }
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Doubles numbers; -1 spoils the statement it is in. Counts its statements.
    fn doubler(statements: &Arc<AtomicUsize>) -> Together<u8, i32, i32> {
        Together::new(statements, |statements: Arc<AtomicUsize>, _, numbers: Vec<i32>| async move {
            statements.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            if numbers.contains(&-1) {
                return Err(DbError::Corrupt("spoilt".into()));
            }
            Ok(numbers.into_iter().map(|n| n * 2).collect())
        })
    }

    #[tokio::test]
    async fn those_who_wait_share_a_statement_and_each_gets_its_own_answer() {
        let statements = Arc::default();
        let together = doubler(&statements);
        let answers = futures::future::join_all((0..100).map(|n| together.ask(&0, n))).await;
        let answers: Vec<i32> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (0..100).map(|n| n * 2).collect::<Vec<_>>());
        // The first two alone, 64 together, the rest together.
        assert_eq!(statements.load(Ordering::SeqCst), 4);
        assert!(together.lines().is_empty());
    }

    #[tokio::test]
    async fn another_key_is_another_statement() {
        let statements = Arc::default();
        let together = doubler(&statements);
        let keys: Vec<u8> = (0..10).collect();
        futures::future::join_all(keys.iter().map(|key| together.ask(key, 1))).await;
        assert_eq!(statements.load(Ordering::SeqCst), 10);
    }

    #[tokio::test]
    async fn nobody_suffers_from_anothers_question() {
        let together = doubler(&Arc::default());
        let answers = futures::future::join_all([1, 2, 3, -1, 4].map(|n| together.ask(&0, n))).await;
        let answers: Vec<Option<i32>> = answers.into_iter().map(Result::ok).collect();
        assert_eq!(answers, [Some(2), Some(4), Some(6), None, Some(8)]);
    }

    #[tokio::test]
    async fn an_asker_who_goes_away_leaves_the_others_their_answers() {
        let together = doubler(&Arc::default());
        let asks: Vec<_> = (0..6)
            .map(|n| {
                let together = together.clone();
                tokio::spawn(async move { together.ask(&0, n).await.unwrap() })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        // One that has a lane, and one that waits.
        asks[0].abort();
        asks[2].abort();
        for (n, ask) in asks.into_iter().enumerate().filter(|(n, _)| ![0, 2].contains(n)) {
            assert_eq!(ask.await.unwrap(), i32::try_from(n).unwrap() * 2);
        }
        assert_eq!(together.ask(&0, 7).await.unwrap(), 14);
        assert!(together.lines().is_empty());
    }

    #[test]
    fn rows_go_to_all_who_asked_for_them_once() {
        let answers = deal_out(&[vec![1, 1, 2], vec![2, 3], vec![9]], vec![(2, 'b'), (1, 'a'), (3, 'c')], |row| row.0);
        assert_eq!(answers, [vec![(2, 'b'), (1, 'a')], vec![(2, 'b'), (3, 'c')], vec![]]);
    }
}
