//! Several things at one time. (`futures-util`'s `join_all` makes a task of each where they are many; here they are few,
//! and their parts wake them together.)

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Runs all at one time, and gives what they came to in their order.
pub async fn join<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures
        .into_iter()
        .map(|future| (Some(Box::pin(future)), None))
        .collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (future, output) in &mut running {
            if let Some(waiting) = future {
                match Pin::as_mut(waiting).poll(context) {
                    Poll::Ready(value) => {
                        *output = Some(value);
                        *future = None;
                    }
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}
