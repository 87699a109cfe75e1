//! Many operations in one call.

use tonic::Code;

use crate::{Client, Error, Operation, v1, v1::operation_result::Result as Outcome};

impl Client {
    /// Runs up to 256 operations of one kind. Each has its own answer or error, in
    /// their order.
    ///
    /// # Errors
    /// The outer error is one of the call as a whole; then nothing is known of any
    /// operation.
    pub async fn batch<R: Operation>(
        &self,
        requests: impl IntoIterator<Item = R>,
    ) -> Result<Vec<Result<R::Response, Error>>, Error> {
        let operations = requests.into_iter().map(R::into_operation).collect();
        let outcomes = self.batch_mixed(operations).await?;
        let typed = |outcome: Result<Outcome, Error>| {
            R::response_of(outcome?).ok_or_else(|| Error::bad_answer("an answer of the right kind"))
        };
        Ok(outcomes.into_iter().map(typed).collect())
    }

    /// The same for operations of several kinds.
    ///
    /// # Errors
    /// As for [`Client::batch`].
    pub async fn batch_mixed(
        &self,
        operations: Vec<v1::Operation>,
    ) -> Result<Vec<Result<Outcome, Error>>, Error> {
        let asked = operations.len();
        let answer = self.call(v1::BatchRequest { operations }).await?;
        if answer.results.len() != asked {
            return Err(Error::bad_answer("a result for each operation"));
        }
        Ok(answer.results.into_iter().map(outcome).collect())
    }
}

/// An item's answer, or its error as that of the single call would be.
pub(crate) fn outcome(result: v1::OperationResult) -> Result<Outcome, Error> {
    match result.result {
        None => Err(Error::bad_answer("a result")),
        Some(Outcome::Error(error)) => {
            Err(Error::from_parts(Code::from(error.code), error.message, Some(error.reason)))
        }
        Some(outcome) => Ok(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an item's error being taken for an answer, or losing its cause.
    #[test]
    fn an_items_error_is_an_error_with_its_reason() {
        let error =
            v1::OperationError { code: 9, message: "off".into(), reason: "KEY_DISABLED".into() };
        let result = v1::OperationResult { result: Some(Outcome::Error(error.into())) };
        let error = outcome(result).expect_err("it is an error");
        assert_eq!(error.code(), Some(Code::FailedPrecondition));
        assert_eq!(error.reason(), Some("KEY_DISABLED"));
        assert!(outcome(v1::OperationResult { result: None }).is_err());
    }
}
