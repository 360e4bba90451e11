//! Questions that wait together become one statement.
//!
//! A statement costs the same round trip and the same start of a plan for one row as for thirty. The first question goes out
//! at once; those that come while it is under way gather, and go out as one when it is back. Nobody waits for company: on an
//! idle server every question is a statement of its own, and the busier the server, the fewer statements per question.
//!
//! - Only questions of one key go together. What the asker may see belongs into the key.
//! - A question goes out after it came: its answer is as fresh as that of a statement of its own.
//! - When a joint statement fails, each asks alone: nobody suffers from another's question.
//! - A statement belongs to nobody: an asker who goes away takes no answer along, and one who is slow keeps nobody waiting.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::DbError;

/// Questions in one statement.
const MOST: usize = 64;

/// How long a joint statement may take. Then each asks alone.
const PATIENCE: Duration = Duration::from_secs(5);

type Run<K, Q, A> = dyn Fn(K, Vec<Q>) -> BoxFuture<'static, Result<Vec<A>, DbError>> + Send + Sync;

/// Gathers questions `Q` of a key `K`, to be answered by `A`. Clones share.
pub(crate) struct Together<K, Q, A> {
    run: Arc<Run<K, Q, A>>,
    /// The keys of which a statement is under way, with those who wait for it to be back.
    lines: Arc<Mutex<Lines<K, Q, A>>>,
}

type Lines<K, Q, A> = HashMap<K, Vec<Waiting<Q, A>>>;

struct Waiting<Q, A> {
    question: Q,
    /// Dropped without an answer when the joint statement failed.
    answer: oneshot::Sender<Result<A, DbError>>,
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
        match self.line_up(key, question.clone()).await {
            Ok(answer) => answer,
            Err(_joint_statement_failed) => {
                let answer = (self.run)(key.clone(), vec![question]).await?.pop();
                answer.ok_or_else(|| DbError::Corrupt("a question without an answer".into()))
            }
        }
    }

    /// Waits with others, or goes out now when no statement of the key is under way.
    fn line_up(&self, key: &K, question: Q) -> oneshot::Receiver<Result<A, DbError>> {
        let (sender, answer) = oneshot::channel();
        let waiting = Waiting { question, answer: sender };
        match self.lines().entry(key.clone()) {
            Entry::Occupied(mut line) => line.get_mut().push(waiting),
            Entry::Vacant(line) => {
                line.insert(vec![waiting]);
                // A task of its own: were it part of the asker, one that is not polled would keep all others waiting.
                tokio::spawn(self.clone().carry_on(key.clone()));
            }
        }
        answer
    }

    /// Answers those who wait until nobody does.
    async fn carry_on(self, key: K) {
        while let Some((questions, askers)) = self.gathered(&key) {
            let one = questions.len() == 1;
            let statement = AssertUnwindSafe((self.run)(key.clone(), questions)).catch_unwind();
            match timeout(PATIENCE, statement).await {
                Ok(Ok(Ok(answers))) => answer(askers, answers.into_iter().map(Ok)),
                Ok(Ok(Err(error))) if one => answer(askers, [Err(error)]),
                // The askers are dropped, and ask alone; what went wrong they find out then.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Those who wait now; none, and the line is closed, when nobody does.
    fn gathered(&self, key: &K) -> Option<(Vec<Q>, Vec<oneshot::Sender<Result<A, DbError>>>)> {
        let mut lines = self.lines();
        let line = lines.get_mut(key)?;
        if line.is_empty() {
            lines.remove(key);
            return None;
        }
        let many = line.len().min(MOST);
        Some(line.drain(..many).map(|w| (w.question, w.answer)).unzip())
    }
}

/// Sends each its answer. One who went away needs none.
fn answer<A>(askers: Vec<oneshot::Sender<A>>, answers: impl IntoIterator<Item = A>) {
    for (asker, answer) in askers.into_iter().zip(answers) {
        let _ = asker.send(answer);
    }
}

impl<K, Q, A> Together<K, Q, A> {
    fn lines(&self) -> MutexGuard<'_, Lines<K, Q, A>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
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
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Doubles numbers; -1 spoils the statement it is in, and -2 breaks it. Counts its statements.
    fn doubler(statements: &Arc<AtomicUsize>) -> Together<u8, i32, i32> {
        Together::new(statements, |statements: Arc<AtomicUsize>, _, numbers: Vec<i32>| async move {
            statements.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(!numbers.contains(&-2), "broken");
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
        // All came before the first statement could go out: 64 together, the rest together.
        assert_eq!(statements.load(Ordering::SeqCst), 2);
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
    async fn one_who_fails_alone_is_told_at_once_and_one_that_breaks_keeps_nobody_waiting() {
        let statements = Arc::default();
        let together = doubler(&statements);
        assert!(together.ask(&0, -1).await.is_err());
        assert_eq!(statements.load(Ordering::SeqCst), 1, "asked once");
        let broken = together.clone();
        assert!(tokio::spawn(async move { broken.ask(&0, -2).await }).await.is_err());
        assert_eq!(together.ask(&0, 7).await.unwrap(), 14);
        assert!(together.lines().is_empty());
    }

    #[tokio::test]
    async fn one_who_is_not_polled_keeps_nobody_waiting() {
        let together = doubler(&Arc::default());
        let mut slow = Box::pin(together.ask(&0, 1));
        assert!(futures::poll!(&mut slow).is_pending());
        assert_eq!(together.ask(&0, 7).await.unwrap(), 14);
        assert_eq!(slow.await.unwrap(), 2);
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
        // The one whose statement is under way, and one that waits.
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
