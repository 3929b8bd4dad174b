//! Moving records in: runs the errands that `directory::moving` names, and streams `POST /internal/import`.

use crate::customer::errand::By;
use crate::customer::moving::Taken;
use crate::directory::moving::{Heard, Moving, Step};
use crate::edge::import::{Errand, Line, Lines, MAX_IMPORT_BYTES, Window};
use crate::edge::log;
use crate::edge::sealed_stream::Sealer;
use crate::edge::settings::Settings;
use crate::error::{Error, Result};
use crate::legacy::Record;
use crate::shell::host::PlatformEntropy;
use crate::shell::join::join;
use crate::shell::{admin, host, object};
use crate::types::CustomerId;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStreamDefaultWriter};
use worker::Env;

/// Most customers that move in at one time for one request.
const MAX_AT_ONCE: usize = 8;

/// Begins to take the lines of a request; the results come out of the stream that is returned, sealed by `sealer`
/// where there is one.
///
/// # Errors
/// `internal_error` if the platform gives no stream.
pub fn start(
    body: Option<ReadableStream>,
    env: &Env,
    by: By,
    sealer: Option<Sealer>,
) -> Result<ReadableStream> {
    let failed = |_: JsValue| Error::fault("no stream");
    let pipe = TransformStream::new().map_err(failed)?;
    let writer = pipe.writable().get_writer().map_err(failed)?;
    let env = env.clone();
    let mut results = Results { writer, sealer };
    spawn_local(async move {
        // Whoever hung up may send the rest again.
        let done = match pump(body, &env, &by, &mut results).await {
            Ok(()) => results.end().await,
            Err(error) => Err(error),
        };
        let ended = match done {
            Ok(()) => results.writer.close(),
            Err(error) => {
                worker::console_error!(
                    "{}",
                    log::event("import", Some(by.origin.request_id.as_str()), &error)
                );
                results.writer.abort()
            }
        };
        let _ = JsFuture::from(ended).await;
    });
    Ok(pipe.readable())
}

/// Where the results go.
struct Results {
    writer: WritableStreamDefaultWriter,
    sealer: Option<Sealer>,
}

impl Results {
    async fn lines(&mut self, lines: Vec<u8>) -> Result<()> {
        let bytes = match &mut self.sealer {
            Some(sealer) => sealer.part(&lines, &mut PlatformEntropy)?,
            None => lines,
        };
        self.write(&bytes).await
    }

    async fn end(&self) -> Result<()> {
        match &self.sealer {
            Some(sealer) => self.write(&sealer.end(&mut PlatformEntropy)?).await,
            None => Ok(()),
        }
    }

    async fn write(&self, bytes: &[u8]) -> Result<()> {
        let chunk = Uint8Array::from(bytes);
        let gone = |_: JsValue| Error::fault("the caller hung up");
        JsFuture::from(self.writer.ready()).await.map_err(gone)?;
        JsFuture::from(self.writer.write_with_chunk(&chunk))
            .await
            .map_err(gone)?;
        Ok(())
    }
}

async fn pump(body: Option<ReadableStream>, env: &Env, by: &By, results: &mut Results) -> Result<()> {
    let Some(body) = body else { return Ok(()) };
    let reader =
        ReadableStreamDefaultReader::new(&body).map_err(|_| Error::fault("the body is read already"))?;
    let mut lines = Lines::default();
    let (mut window, mut seen, mut bytes) = (Window::default(), 0_usize, 0_usize);
    loop {
        let chunk = next(&reader).await?;
        let is_end = chunk.is_none();
        let ended = match &chunk {
            Some(chunk) => lines.push(chunk),
            None => lines.end().into_iter().collect(),
        };
        bytes = bytes.saturating_add(chunk.map_or(0, |chunk| chunk.len()));
        for line in ended {
            add(&mut window, &line, &mut seen);
            if window.is_full() {
                let full = std::mem::take(&mut window);
                take(full, env, by, results).await?;
            }
        }
        if is_end || bytes > MAX_IMPORT_BYTES {
            if !window.is_empty() {
                take(window, env, by, results).await?;
            }
            if !is_end {
                return Err(Error::fault("the body is too large"));
            }
            return Ok(());
        }
    }
}

fn add(window: &mut Window, line: &Line, seen: &mut usize) {
    window.add(line, *seen);
    *seen = seen.saturating_add(1);
}

/// The next bytes of the body; `None` at its end.
async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>> {
    let broken = |_: JsValue| Error::fault("the body broke off");
    let step = JsFuture::from(reader.read()).await.map_err(broken)?;
    let done = Reflect::get(&step, &JsValue::from_str("done")).map_err(broken)?;
    if done.is_truthy() {
        return Ok(None);
    }
    let chunk = Reflect::get(&step, &JsValue::from_str("value")).map_err(broken)?;
    let chunk: Uint8Array = chunk.dyn_into().map_err(broken)?;
    Ok(Some(chunk.to_vec()))
}

/// Takes a window in and writes its results.
async fn take(mut window: Window, env: &Env, by: &By, results: &mut Results) -> Result<()> {
    let site = host::site(env)?;
    // A credential that is revoked meanwhile takes no further window in.
    admin::check(env, &site, by, None).await?;
    let mut groups = window.take_groups().into_iter();
    loop {
        let some: Vec<_> = groups
            .by_ref()
            .take(MAX_AT_ONCE)
            .map(|(customer, errands)| move_group(env, &site.settings, by, customer, errands))
            .collect();
        if some.is_empty() {
            break;
        }
        for (place, taken) in join(some).await.into_iter().flatten() {
            window.tell(place, taken);
        }
    }
    results.lines(window.into_lines()?).await
}

/// The records of one customer, errand by errand. What cannot be taken now is told nothing of.
async fn move_group(
    env: &Env,
    settings: &Settings,
    by: &By,
    customer: CustomerId,
    errands: Vec<Errand>,
) -> Vec<(usize, Taken)> {
    let mut told = Vec::new();
    for errand in errands {
        let (places, records): (Vec<usize>, Vec<Record>) = errand.into_iter().unzip();
        match move_in(env, settings, customer.clone(), records, by.clone()).await {
            Ok(results) => told.extend(places.into_iter().zip(results)),
            Err(error) => {
                worker::console_error!(
                    "{}",
                    log::event("import", Some(by.origin.request_id.as_str()), &error)
                );
                break;
            }
        }
    }
    told
}

/// Moves records of one customer in.
///
/// # Errors
/// `unavailable` if a part of the service does not answer, or a fault.
pub async fn move_in(
    env: &Env,
    settings: &Settings,
    customer: CustomerId,
    records: Vec<Record>,
    by: By,
) -> Result<Vec<Taken>> {
    let mut moving = Moving::new(customer, records, by);
    let mut heard = None;
    loop {
        heard = Some(match moving.step(heard)? {
            Step::Done(results) => return Ok(results),
            Step::Customer(errand) => {
                Heard::Customer(object::ask_customer(env, &errand, settings.object_deadline_ms).await?)
            }
            Step::Directory(what) => Heard::Directory(object::tell_directory(env, settings, what).await?),
        });
    }
}
