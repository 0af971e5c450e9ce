//! Workbooks: held in memory, and read from the first row whenever reading starts.

use super::batch::{Batch, Opened};
use super::content::{Survey, SurveyedFile};
use super::load::{Listener, Load};
use super::unusable;
use crate::domain::campaign::definition::Source;
use crate::domain::packet::FileFormat;
use crate::domain::table::workbook::{Workbook, WorkbookRules};
use crate::domain::table::{Position, TableFault};
use crate::services::ServiceError;

impl Load<'_> {
    /// Reads the header of a workbook.
    pub(super) async fn open_workbook(
        &self,
        source: &Source,
        survey: &Survey,
    ) -> Result<(Opened, Position), ServiceError> {
        let mut workbook = self.workbook(source, survey).await?;
        let (header, start) = workbook.head().map_err(|fault| unusable(&fault))?;
        Ok((Opened { header, format: FileFormat::Workbook, delimiter: None }, start))
    }

    pub(super) async fn append_sheet(
        &mut self,
        opened: &Opened,
        start: Position,
        survey: &Survey,
        progress: Listener<'_>,
    ) -> Result<(), ServiceError> {
        let source = self.declared().await?;
        let mut workbook = self.workbook(&source, survey).await?;
        let mut rows = workbook.rows(&opened.header, start).map_err(|fault| unusable(&fault))?;
        let mut batch = Batch::new(start);
        while let Some((record, end)) = rows.next_record().map_err(|fault| unusable(&fault))? {
            self.unless_too_many(end)?;
            batch.take(record, end);
            if batch.is_full(self.ingest.rows_per_batch) {
                batch = self.append(batch, opened).await?;
                progress(self.progress(batch.end(), survey.bytes));
            }
        }
        self.append_last(batch, opened, survey.bytes, progress).await
    }

    async fn workbook(&self, source: &Source, survey: &Survey) -> Result<Workbook, ServiceError> {
        let limits = self.ingest.file_limits;
        let limit = limits.max_workbook_bytes;
        if survey.bytes > limit {
            return Err(unusable(&TableFault::WorkbookTooLarge { limit }));
        }
        let mut file = SurveyedFile::open(self.source, &self.name, survey, 0).await?;
        let (mut bytes, mut block) = (Vec::new(), Vec::new());
        while file.next(&mut block).await? {
            bytes.append(&mut block);
        }
        let rules = WorkbookRules {
            max_unpacked_bytes: limit,
            max_columns: limits.max_columns,
            max_row_bytes: self.ingest.max_row_bytes,
        };
        Workbook::open(bytes, source.sheet.as_deref(), rules).map_err(|fault| unusable(&fault))
    }
}
