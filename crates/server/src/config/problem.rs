//! What is wrong with a configuration, for the person who wrote it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing that is wrong: which field, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    field: String,
    wrong: String,
    mend: String,
}

/// Everything that is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    file: PathBuf,
    problems: Vec<Problem>,
}

impl Problem {
    /// `field` as written in the file, `wrong` as a clause, `mend` as an order.
    pub fn new(
        field: impl Into<String>,
        wrong: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), wrong: wrong.into(), mend: mend.into() }
    }
}

impl Report {
    pub(crate) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), problems: Vec::new() }
    }

    pub(crate) fn of(file: &Path, problem: Problem) -> Self {
        Self { file: file.to_owned(), problems: vec![problem] }
    }

    pub(crate) fn add(
        &mut self,
        field: impl Into<String>,
        wrong: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.problems.push(Problem::new(field, wrong, mend));
    }

    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.problems.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    → {}", self.field, self.wrong, self.mend)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{}: {count} {noun}, nothing was started", self.file.display())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Report {}
