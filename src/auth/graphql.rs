//! Sign-in through the API.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::{Actor, ActorKind, Auth, AuthError, Role, Tokens};
use crate::db::By;
use crate::dealers::StoreNode;
use crate::graphql::context::{self, actor, request_info, service};
use crate::graphql::{GqlError, GqlResult, input};

impl From<AuthError> for GqlError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Db(error) => error.into(),
            AuthError::WrongCredentials | AuthError::BadToken | AuthError::UnknownKey | AuthError::Expired | AuthError::SessionEnded => {
                Self::unauthenticated()
            }
            other => Self::internal(other),
        }
    }
}

/// Login and password of a person.
#[derive(Debug, InputObject)]
struct SignInInput {
    /// The login, usually the work e-mail address. At most 254 characters.
    login: String,
    /// The password. At most 256 bytes.
    #[graphql(secret)]
    password: String,
    /// What the device is called, such as "Tablet 4". At most 80 characters.
    device_label: Option<String>,
}

/// A refresh token to exchange.
#[derive(Debug, InputObject)]
struct SessionRefreshInput {
    /// The refresh token of the last answer.
    #[graphql(secret)]
    refresh_token: String,
}

/// Tokens of a session.
#[derive(Debug, SimpleObject)]
struct AuthTokens {
    /// Send as `Authorization: Bearer …`, and as `authorization` in the payload of `connection_init`.
    access_token: String,
    /// When the access token ends.
    access_token_expires_at: DateTime<Utc>,
    /// Exchange it once with `sessionRefresh` before the access token ends. Keep it secret.
    refresh_token: String,
    /// When the session ends if it is not refreshed.
    refresh_token_expires_at: DateTime<Utc>,
}

impl From<Tokens> for AuthTokens {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            access_token_expires_at: tokens.access_expires_at,
            refresh_token: tokens.refresh,
            refresh_token_expires_at: tokens.refresh_expires_at,
        }
    }
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum SignInErrorCode {
    /// Login or password is wrong.
    WrongCredentials,
    /// Too many failed attempts from here or for this login; wait a minute.
    Throttled,
    /// The session has ended, or the refresh token is not valid; sign in again.
    SessionEnded,
}

/// A refusal that can be read aloud.
#[derive(Debug, SimpleObject)]
struct SignInUserError {
    /// The reason, for programs.
    code: SignInErrorCode,
    /// The reason, for people.
    message: String,
    /// Path into the input.
    field: Option<Vec<String>>,
}

/// The answer to `signIn` and `sessionRefresh`.
#[derive(Debug, SimpleObject)]
struct SessionPayload {
    /// The tokens; null when refused.
    tokens: Option<AuthTokens>,
    /// Who is signed in; null when refused.
    viewer: Option<Viewer>,
    /// Why it was refused.
    user_errors: Vec<SignInUserError>,
}

/// The answer to `signOut`.
#[derive(Debug, SimpleObject)]
struct SignOutPayload {
    /// True: the session has ended everywhere.
    signed_out: bool,
}

/// Who you are, and what you may do where.
#[derive(Debug, Clone)]
pub struct Viewer(std::sync::Arc<Actor>);

/// A store and the role in it.
#[derive(Debug, SimpleObject)]
struct StoreRole {
    /// The store.
    store: StoreNode,
    /// What you may do in it.
    role: Role,
}

/// The signed-in person or machine.
#[Object]
impl Viewer {
    /// Opaque id, `usr_…`.
    async fn id(&self) -> ID {
        self.0.user_id().into()
    }
    /// The name colleagues see.
    async fn display_name(&self) -> &str {
        self.0.display_name()
    }
    /// Person or machine.
    async fn kind(&self) -> ActorKind {
        self.0.kind()
    }
    /// Stores and roles.
    async fn stores(&self, ctx: &Context<'_>) -> GqlResult<Vec<StoreRole>> {
        self.0.roles().map(|(id, role)| Ok(StoreRole { store: StoreNode::load(ctx, id)?, role })).collect()
    }
}

/// Queries about the session.
#[derive(Debug, Default)]
pub struct AuthQuery;

#[Object]
impl AuthQuery {
    /// Who you are.
    async fn viewer(&self, ctx: &Context<'_>) -> GqlResult<Viewer> {
        Ok(Viewer(actor(ctx)?.clone()))
    }
}

/// Mutations of the session.
#[derive(Debug, Default)]
pub struct AuthMutation;

#[Object]
impl AuthMutation {
    /// Signs a person in. The only mutation that needs no token, besides `sessionRefresh`.
    async fn sign_in(&self, ctx: &Context<'_>, #[graphql(desc = "Login and password.")] input: SignInInput) -> GqlResult<SessionPayload> {
        let login = input::required("input.login", &input.login, 254)?;
        let device = input::optional("input.deviceLabel", input.device_label.as_deref(), 80)?;
        let info = request_info(ctx);
        let by = By { user_id: None, request_id: Some(info.request_id) };
        let outcome = service::<Auth>(ctx)?.sign_in(&login, input.password, device.as_deref(), &info.address, by).await;
        session_payload(outcome, "password")
    }

    /// Exchanges a refresh token for new tokens. Each works once; if the answer was lost, ask again with the same token.
    /// A token used by two parties ends the session.
    async fn session_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: SessionRefreshInput,
    ) -> GqlResult<SessionPayload> {
        let by = By { user_id: None, request_id: Some(request_info(ctx).request_id) };
        let outcome = service::<Auth>(ctx)?.refresh(&input.refresh_token, by).await;
        session_payload(outcome, "refreshToken")
    }

    /// Ends this session at once: its tokens stop working and its subscriptions close, on every server.
    async fn sign_out(&self, ctx: &Context<'_>) -> GqlResult<SignOutPayload> {
        let actor = actor(ctx)?;
        service::<Auth>(ctx)?.sign_out(actor, context::by(ctx)?).await?;
        Ok(SignOutPayload { signed_out: true })
    }
}

fn session_payload(outcome: Result<(Tokens, std::sync::Arc<Actor>), AuthError>, field: &str) -> GqlResult<SessionPayload> {
    let code = match outcome {
        Ok((tokens, actor)) => {
            return Ok(SessionPayload { tokens: Some(tokens.into()), viewer: Some(Viewer(actor)), user_errors: Vec::new() });
        }
        Err(AuthError::WrongCredentials) => SignInErrorCode::WrongCredentials,
        Err(AuthError::Throttled) => SignInErrorCode::Throttled,
        Err(AuthError::SessionEnded | AuthError::BadToken) => SignInErrorCode::SessionEnded,
        Err(error) => return Err(error.into()),
    };
    let message = match code {
        SignInErrorCode::WrongCredentials => "Login or password is wrong.",
        SignInErrorCode::Throttled => "Too many attempts. Wait a minute and try again.",
        SignInErrorCode::SessionEnded => "Your session has ended. Sign in again.",
    };
    let error = SignInUserError { code, message: message.into(), field: Some(vec!["input".into(), field.into()]) };
    Ok(SessionPayload { tokens: None, viewer: None, user_errors: vec![error] })
}
