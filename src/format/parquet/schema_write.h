/* SchemaElement of written files: logical and converted types (LogicalTypes.md), and the groups
 * that nested types are made of, in the shapes that leaf_write.h names. */
#ifndef PARQUET_SCHEMA_WRITE_H
#define PARQUET_SCHEMA_WRITE_H

#include "format/parquet/leaf_write.h"
#include "format/parquet/thrift.h"
#include "format/parquet/written_type.h"

nrw_status pq_schema_root(thrift_out *o, uint32_t n_children, nrw_error *err);
/* Elements that a column of this type takes. */
uint32_t pq_schema_elements(const type *t);
/* All of them. */
nrw_status pq_schema_field(thrift_out *o, const field *f, nrw_error *err);

#endif
