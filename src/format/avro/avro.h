/* The face of the Avro folder: a reader and a writer of object container files.
 * Source: the Avro specification, 1.12. */
#ifndef AVRO_AVRO_H
#define AVRO_AVRO_H

#include "base/buffer.h"
#include "codec/codec.h"
#include "format/format.h"

extern const format format_avro;

/* ---- writing ---- */

#define AVRO_BLOCK_BYTES ((size_t)128 << 10)

/* The end of a file that rows are added to: their blocks are as it has them. */
typedef struct avro_append {
    const codec *codec;
    uint8_t sync[16];
    uint64_t header;       /* bytes in front of its first block */
    const schema *schema;  /* of the rows: a column may be null where it may be so in the file */
    uint32_t n_key_values; /* of its header */
    key_value *key_values;
} avro_append;

/* What to add rows with columns s to f. All in the arena. NRW_E_SCHEMA names the first column that
 * the file has not so: same names in the same order, and the types of avro_schema_text, where null
 * may be allowed in the file alone. NRW_E_CORRUPT: no whole Avro file. */
nrw_status avro_append_look(arena *a, io_file *f, const schema *s, avro_append *out,
                            nrw_error *err) NRW_CHECKED;

typedef struct avro_write_options {
    const codec *codec;
    int level;
    size_t block_bytes; /* a block ends with the record that brings it to so many bytes, before
                           compression */
    uint32_t n_key_values;
    const key_value *key_values; /* beside avro.schema and avro.codec */
    const avro_append *append;   /* what the target begins with, and whose codec it is; NULL: it is
                                    empty */
} avro_write_options;

/* A codec by name: null, deflate, snappy, zstd, bzip2 or xz, or what others call these; NULL: Avro
 * has none that is called so. */
const codec *avro_codec(const char *name);
/* The schema of a file with columns s, in JSON, behind what is in out. NRW_E_UNSUPPORTED names the
 * column for whose type or name Avro has nothing. */
nrw_status avro_schema_text(mem *m, const schema *s, bytes *out, nrw_error *err) NRW_CHECKED;
/* For the writer's own account. The columns of a batch under way are charged to the batch's
 * account: avro_write_held is what they take there for each worker. */
nrw_status avro_write_budget(const schema *s, const avro_write_options *opts, uint32_t workers,
                             budget *out, nrw_error *err) NRW_CHECKED;
budget avro_write_held(const schema *s);
/* The columns of s are the first columns of each batch. s and opts must outlive the writer. */
nrw_status avro_writer_open(mem *grant, target *t, const schema *s, const avro_write_options *opts,
                            uint32_t workers, writer **out, nrw_error *err) NRW_CHECKED;

#endif
