//! Queue adapter for Amazon SQS.
