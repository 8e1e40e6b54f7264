/* SchemaElement of written files: logical and converted types (LogicalTypes.md). */
#ifndef PARQUET_SCHEMA_WRITE_H
#define PARQUET_SCHEMA_WRITE_H

#include "format/parquet/thrift.h"
#include "format/parquet/written_type.h"

nrw_status pq_schema_root(thrift_out *o, uint32_t n_children, nrw_error *err);
nrw_status pq_schema_element(thrift_out *o, const field *f, nrw_error *err);

#endif
