//! Logs: one line an event, to standard error, by a thread of its own.
//!
//! The thread stands between the money path and the pipe: a reader that stops reading costs log
//! lines, which are counted, never a payment.
//!
//! Whatever a caller put into a field cannot make a second line, move the cursor or turn the text
//! around (O-7): control characters and bidirectional marks are written as `\u000a`, in both
//! formats. The formatters of tracing-subscriber do only part of it (a line feed in a text field
//! passes them), so the finished line is looked at once more.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
    str::FromStr,
};

use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::ParseError,
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::{SubscriberInitExt as _, TryInitError},
};

use crate::watching::traces::SpanLayer;

/// Lines that wait for the pipe. Lines have about half a KiB, so these are about 8 MiB.
const LINES_WAITING_MAX: usize = 16_384;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogError::Format),
        }
    }
}

/// Why logging did not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The format has no such name.
    #[error("the log format is text or json")]
    Format,
    /// The filter does not parse.
    #[error("log filter: {0}")]
    Filter(#[from] ParseError),
    /// Something logs already.
    #[error(transparent)]
    Init(#[from] TryInitError),
}

/// Keeps the log thread; hold it in `main`. Dropping it writes what waits, for a second at most.
#[must_use = "without it the log ends at once"]
#[derive(Debug)]
pub struct LogGuard {
    dropped: ErrorCounter,
    _thread: WorkerGuard,
}

impl LogGuard {
    /// Lines lost because nobody read the pipe.
    pub fn lines_lost(&self) -> LostLines {
        LostLines(self.dropped.clone())
    }
}

/// Counts lines lost because nobody read the pipe.
#[derive(Clone, Debug)]
pub struct LostLines(ErrorCounter);

impl LostLines {
    /// How many so far.
    pub fn count(&self) -> usize {
        self.0.dropped_lines()
    }
}

/// Starts logging for the process, and logs panics too. `filter` is in the syntax of `RUST_LOG`,
/// for example `info,hongbao_store=debug`; `spans` is what exports traces, if anything does.
pub fn init(
    filter: &str,
    format: LogFormat,
    spans: Option<SpanLayer>,
) -> Result<LogGuard, LogError> {
    let (writer, guard) = behind_thread(io::stderr());
    match spans {
        None => subscriber(filter, format, Encoding(writer))?.try_init()?,
        Some(spans) => beside(spans, filter, format, Encoding(writer))?.try_init()?,
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            said = panic.payload_as_str().unwrap_or("no text"),
            "panicked"
        );
    }));
    Ok(guard)
}

fn behind_thread(output: impl Write + Send + 'static) -> (NonBlocking, LogGuard) {
    let (writer, thread) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("log")
        .finish(output);
    let dropped = writer.error_counter();
    (writer, LogGuard { dropped, _thread: thread })
}

fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(lines_of(filter)?)
        .with_ansi(false)
        // They would go to the pipe directly.
        .log_internal_errors(false)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

/// `filter`, less what a library tells of every store that it builds in memory to hold the real one
/// against: it reads as if the real one were migrated at each start.
fn lines_of(filter: &str) -> Result<EnvFilter, ParseError> {
    if filter.contains("refinery_core") {
        return EnvFilter::try_new(filter);
    }
    EnvFilter::try_new(format!("{filter},refinery_core=warn"))
}

/// As [`subscriber`], with a layer beside it that sees what the filter keeps from the log.
fn beside<W>(
    spans: SpanLayer,
    filter: &str,
    format: LogFormat,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = lines_of(filter)?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(writer);
    let lines = match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    Ok(Box::new(tracing_subscriber::registry().with(vec![spans, lines])))
}

/// Makes writers that encode each line.
struct Encoding<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Encoding<M> {
    type Writer = Encoded<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Encoded(self.0.make_writer())
    }
}

/// Encodes what is written. The formatter writes one whole line at a time.
struct Encoded<W>(W);

impl<W: Write> Write for Encoded<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(encoded(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `line` with all but its last line feed, and everything else that moves or turns text, written
/// out. The same form is valid inside a JSON string, which is the only place in a line of JSON
/// where such characters can stand.
fn encoded(line: &str) -> Cow<'_, str> {
    let text = line.strip_suffix('\n').unwrap_or(line);
    if !text.contains(moves_text) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len().saturating_add(16));
    for c in text.chars() {
        if moves_text(c) {
            // Writing to a string does not fail.
            write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Cow::Owned(out)
}

/// Control characters; line and paragraph separators; bidirectional marks, embeddings, overrides
/// and isolates.
fn moves_text(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex, mpsc},
        time::Duration,
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged for a field with `hostile` in it, as text and as Debug, and as message.
    fn logged(format: LogFormat, hostile: &str) -> String {
        let output = Shared::default();
        let writer = output.clone();
        let made = subscriber("info", format, Encoding(move || writer.clone())).unwrap();
        tracing::subscriber::with_default(made, || {
            let span = tracing::info_span!("request", from = %hostile);
            span.in_scope(|| tracing::info!(shown = %hostile, quoted = ?hostile, "said {hostile}"));
        });
        let bytes = output.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str =
        "a\r\nINFO forged\u{1b}[2J\u{9b}1m\u{7}\u{7f}\u{202e}drow\u{2066}\u{2028}z";

    #[test]
    fn a_hostile_field_stays_on_its_line_and_moves_no_text() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let out = logged(format, HOSTILE);
            let line = out.strip_suffix('\n').unwrap();
            assert!(!line.contains(moves_text), "{format:?}: {line:?}");
            assert!(line.contains("forged"), "{format:?}: {line:?}");
        }
    }

    #[test]
    fn an_encoded_line_of_json_still_parses_and_says_what_was_logged() {
        let line = logged(LogFormat::Json, HOSTILE);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["message"], format!("said {HOSTILE}"));
    }

    #[test]
    fn an_ordinary_line_is_left_as_it_is() {
        let line = "2026 INFO 恭喜发财 \u{1f9e7} \"x\"\n";
        assert!(matches!(encoded(line), Cow::Borrowed(same) if same == line));
    }

    #[test]
    fn a_reader_that_stops_costs_lines_and_no_time() {
        struct Stuck(mpsc::Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                // Until the test ends.
                self.0.recv().unwrap_or_default();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (release, stuck) = mpsc::channel();
        let (done, finished) = mpsc::channel();
        let (writer, guard) = behind_thread(Stuck(stuck));
        let made = subscriber("info", LogFormat::Text, Encoding(writer)).unwrap();
        std::thread::spawn(move || {
            tracing::subscriber::with_default(made, || {
                for line in 0..LINES_WAITING_MAX + 100 {
                    tracing::info!(line, "paid");
                }
            });
            done.send(()).unwrap();
        });
        finished.recv_timeout(Duration::from_mins(1)).expect("logging blocked");
        assert!(guard.lines_lost().count() >= 99);
        drop(release);
    }

    #[test]
    fn a_wrong_filter_or_format_is_an_error() {
        assert!(subscriber("info,==", LogFormat::Text, io::sink).is_err());
        assert!("yaml".parse::<LogFormat>().is_err());
    }

    #[test]
    fn an_ordinary_filter_makes_no_spans_of_traces() {
        let span = || tracing::trace_span!(target: hongbao_app::spans::TARGET, "request");
        for (filter, off) in [("info", true), ("hongbao_app=trace,info", true), ("trace", false)] {
            let made = subscriber(filter, LogFormat::Text, io::sink).unwrap();
            tracing::subscriber::with_default(made, || {
                assert_eq!(span().is_disabled(), off, "{filter}");
            });
        }
    }

    #[test]
    fn a_layer_of_spans_beside_the_log_changes_no_line() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let output = Shared::default();
            let writer = output.clone();
            let spans = tracing_subscriber::layer::Identity::new().boxed();
            let made = beside(spans, "info", format, Encoding(move || writer.clone())).unwrap();
            tracing::subscriber::with_default(made, || {
                tracing::debug!("unseen");
                tracing::info!(bill_no = "A1", "sent");
            });
            let line = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
            assert!(line.contains("sent") && line.contains("A1"), "{line}");
            assert!(!line.contains("unseen"), "{line}");
        }
    }
}
