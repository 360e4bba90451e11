//! The door of inventory feeds: `PUT /stores/{code}/inventory-feed` with a machine's key (role `CHANNEL`) or a manager's token.
//!
//! The body is the file: CSV or TSV, plain or gzip, in any encoding; it is read as it arrives and never kept whole. Workbooks, XML
//! and JSON are taken too, and kept whole while they are read, which bounds their size. The answer
//! is the report that `deskless import inventory` gives. `?name=FILE` names the file in the record, `?dryRun=true` reports and
//! keeps nothing. Sending the same file again changes nothing.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Extension, Json, Router};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use super::access::RequestId;
use super::caller::Doorkeeper;
use super::channels::{database, refused};
use super::problem::Problem;
use crate::dealers::Dealers;
use crate::inventory::feed::FeedError;
use crate::inventory::{FeedImportStatus, FeedSource, ImportError, Inventory};

/// Longest wait for the next piece of the body.
const PIECE_TIME: Duration = Duration::from_secs(30);
/// Longest import.
const IMPORT_TIME: Duration = Duration::from_mins(15);
/// Pieces on their way to the reader.
const PIECES: usize = 8;
/// Imports at the same time: each holds a connection to the database.
const IMPORTS: usize = 3;
/// Most lines of the report in the answer; `feedImport.report` in the API has all.
const LINES_MAX: usize = 1000;

#[derive(Debug, Clone)]
struct Door {
    inventory: Inventory,
    dealers: Dealers,
    doorkeeper: Doorkeeper,
    places: Arc<Semaphore>,
}

/// The route.
pub fn routes(inventory: Inventory, dealers: Dealers, doorkeeper: Doorkeeper) -> Router {
    let door = Door { inventory, dealers, doorkeeper, places: Arc::new(Semaphore::new(IMPORTS)) };
    Router::new().route("/stores/{code}/inventory-feed", put(receive)).with_state(door)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    name: Option<String>,
    dry_run: bool,
}

async fn receive(
    State(door): State<Door>,
    Path(code): Path<String>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = door.doorkeeper.of(request.headers()).await.map_err(refused)?.ok_or_else(Problem::unauthenticated)?;
    let actor = caller.actor.ok_or_else(Problem::unauthenticated)?;
    // A store of somebody else does not exist, in the same words.
    let shop = door.dealers.store_by_code(&code).filter(|shop| actor.channel_scope().contains(shop.id));
    let shop =
        shop.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "STORE_NOT_FOUND", "There is no store with this code for this key."))?;
    let Ok(Query(options)) = Query::<Options>::try_from_uri(request.uri()) else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "BAD_QUERY", "This address takes \"name\" and \"dryRun\" only."));
    };
    let _place = door.places.try_acquire().map_err(|_| Problem::unavailable())?;
    let (sender, receiver) = mpsc::channel(PIECES);
    let mut source = FeedSource::new(Pieces { receiver, piece: Bytes::new(), ended: false }, options.name.as_deref().unwrap_or("upload"));
    source.dry_run = options.dry_run;
    let mut lines = Vec::new();
    let import = door.inventory.import(&shop, source, actor.by(Some(id.0.to_string())), |line| {
        if lines.len() < LINES_MAX {
            lines.push(line.clone());
        }
    });
    let both = async { tokio::join!(hand_over(request.into_body(), sender), import).1 };
    let import = match tokio::time::timeout(IMPORT_TIME, both).await {
        Ok(outcome) => outcome?,
        Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "BODY_TIMEOUT", "The feed took too long.")),
    };
    let status = if import.status == FeedImportStatus::Held { StatusCode::ACCEPTED } else { StatusCode::OK };
    let total = usize::try_from(import.refused.saturating_add(import.warnings)).unwrap_or(0);
    let answer = json!({ "dryRun": options.dry_run, "reportTruncated": total > lines.len(), "import": import, "report": lines });
    Ok((status, Json(answer)).into_response())
}

/// Hands the body to the reader piece by piece; an empty piece says that it was complete.
async fn hand_over(mut body: axum::body::Body, sender: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let piece = match tokio::time::timeout(PIECE_TIME, body.frame()).await {
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the sender stopped sending")),
            Ok(Some(Err(_))) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection broke")),
            Ok(None) => Ok(Bytes::new()),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) if !data.is_empty() => Ok(data),
                // Trailers and empty frames hold no text.
                _ => continue,
            },
        };
        let last = piece.as_ref().map_or(true, Bytes::is_empty);
        // The reader may have given up on the file already.
        if sender.send(piece).await.is_err() || last {
            return;
        }
    }
}

/// The body as a blocking reader.
struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            // Without its last piece a body is cut, and a cut feed must not be taken for a short one.
            self.piece =
                self.receiver.blocking_recv().unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the body was cut")))?;
            self.ended = self.piece.is_empty();
        }
        let take = self.piece.len().min(buffer.len());
        let part = self.piece.split_to(take);
        (&mut part.as_ref()).read(buffer)
    }
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Feed(error) => {
                let (code, title) = match &error {
                    FeedError::UnknownLayout { .. } => ("UNKNOWN_LAYOUT", "The file has no head row of an inventory."),
                    FeedError::TooManyRows => ("TOO_MANY_ROWS", "The file has too many rows."),
                    FeedError::Io(_) => ("UNREADABLE", "The file could not be read to its end."),
                };
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).detail(error.to_string())
            }
            ImportError::Db(error) => database(&error),
            other => {
                tracing::error!(%other, "feed import failed");
                Self::internal()
            }
        }
    }
}
