//! One row, once: a, b and c, right after each other.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    bare::Bare,
    callers::{self, CALLERS},
    echo::EchoServer,
    keyreeve::{self, Keyreeve},
    row::{ECHO, Operation, PLAINTEXT, Primitive, Row, Target},
};

/// Everything that serves.
pub(crate) struct Bench {
    echo: EchoServer,
    keyreeve: Option<Keyreeve>,
    unaudited: Option<Keyreeve>,
    bare: Bare,
}

/// One row in one round, in microseconds: of CPU time per operation, or for
/// [`Target::Latency`] of waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// a.
    pub(crate) echo: f64,
    /// a with as many bytes as the operation carries, where those are many.
    pub(crate) large_echo: Option<f64>,
    /// b; `None` if only the limits are measured.
    pub(crate) keyreeve: Option<Cost>,
    /// b without an audit log, if there is such a build.
    pub(crate) unaudited: Option<Cost>,
    /// c.
    pub(crate) bare: f64,
}

/// What Keyreeve took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// All of it.
    pub(crate) total: f64,
    /// The front's part; for a latency there are no parts.
    pub(crate) front: Option<f64>,
    /// Operations per second, of everybody who calls.
    pub(crate) rate: f64,
}

impl Bench {
    /// Starts what `rows` need; Keyreeve only if asked for, and beside it the build
    /// `unaudited`.
    pub(crate) async fn start(
        rows: &[&Row],
        with_keyreeve: bool,
        unaudited: Option<&Path>,
    ) -> Result<Self> {
        let echo = EchoServer::start().await.context("limit a")?;
        let with_module = rows.iter().any(|row| row.primitive == Primitive::ModuleP256);
        let bare = Bare::start(with_module).context("limit c")?;
        let keyreeve =
            if with_keyreeve { Some(Keyreeve::start(keyreeve::binary()?).await?) } else { None };
        let unaudited = match unaudited {
            Some(binary) => Some(Keyreeve::start(binary.to_owned()).await?),
            None => None,
        };
        Ok(Self { echo, keyreeve, unaudited, bare })
    }

    /// Measures one row, `length` for each of a, b and c.
    pub(crate) async fn measure(&mut self, row: &Row, length: Duration) -> Result<Round> {
        let alone = matches!(row.target, Target::Latency(_));
        let echo = self.echo(ECHO, alone, length).await.context("a, the echo")?;
        let large_echo = match row.operation {
            Operation::EncryptGcm => Some(self.echo(PLAINTEXT, alone, length).await?),
            _ => None,
        };
        let keyreeve = cost(self.keyreeve.as_mut(), row.operation, alone, length).await;
        let unaudited = cost(self.unaudited.as_mut(), row.operation, alone, length).await;
        let bare = self.bare.run(row.primitive, length).context("c, the bare loop")?;
        Ok(Round {
            echo,
            large_echo,
            keyreeve: keyreeve.context("b, Keyreeve")?,
            unaudited: unaudited.context("b without an audit log")?,
            bare: if alone { bare.wall } else { bare.cpu },
        })
    }

    async fn echo(&self, size: usize, alone: bool, length: Duration) -> Result<f64> {
        let callers = self.echo.callers(if alone { 1 } else { CALLERS }, size);
        let (window, _) = callers::run(callers, &[self.echo.pid()], length).await?;
        Ok(if alone { window.median_latency() } else { window.cost().iter().sum() })
    }
}

/// What `keyreeve` takes for `operation`, if it runs.
async fn cost(
    keyreeve: Option<&mut Keyreeve>,
    operation: Operation,
    alone: bool,
    length: Duration,
) -> Result<Option<Cost>> {
    let Some(keyreeve) = keyreeve else { return Ok(None) };
    let callers = keyreeve.callers(if alone { 1 } else { CALLERS }, operation).await?;
    let measured = callers::run(callers, keyreeve.processes(), length).await;
    keyreeve.still_runs()?;
    let (window, callers) = measured?;
    let mut samples = 0;
    for caller in callers {
        samples += caller.check_samples().await?;
    }
    ensure!(samples > 0 || operation == Operation::VerifyP256, "no answer was verified");
    let rate = window.rate();
    Ok(Some(if alone {
        Cost { total: window.median_latency(), front: None, rate }
    } else {
        let cost = window.cost();
        Cost { total: cost.iter().sum(), front: cost.first().copied(), rate }
    }))
}
