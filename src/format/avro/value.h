/* Values of logical types, one at a time. Internal to the Avro folder. */
#ifndef AVRO_VALUE_H
#define AVRO_VALUE_H

#include "base/buffer.h"
#include "format/avro/schema.h"

/* Two's complement, big-endian, any length, to little-endian of `width` bytes. False: it does not
 * fit. */
bool av_decimal(span from, uint32_t width, uint8_t *to);
/* 36 characters to 16 bytes, or 32 without hyphens. */
bool av_uuid(span text, uint8_t to[16]);
/* The bytes of a big-decimal (unscaled value with its length, scale) as text, such as -2.24: all
 * digits, no exponent. Returns its length; 0: they are not one, or take more room. */
#define AV_BIG_DECIMAL_MAX 2200
size_t av_big_decimal(span from, char to[AV_BIG_DECIMAL_MAX]);

/* Items of no bytes (nulls, records without fields) are not bounded by the file's size: a record's
 * lists have at most so many of them, all together. */
#define AV_EMPTY_MOST 65536
/* One more. NRW_E_CORRUPT: there are too many. */
static inline nrw_status av_empty_item(uint32_t *empty, nrw_error *err)
{
    if (++*empty <= AV_EMPTY_MOST)
        return NRW_OK;
    return err_set(err, NRW_E_CORRUPT, "lists of one record claim more than %d items of no bytes",
                   AV_EMPTY_MOST);
}

/* One encoded value of type t at *p as JSON behind what is in `out`; NULL: it is stepped over.
 * Values are spelled as json_value does; unions as their value alone. NRW_END: it goes on behind
 * `end`. Nested at most 500 deep. *empty counts the record's items of no bytes. */
nrw_status av_json(const av_type *t, const uint8_t **p, const uint8_t *end, uint32_t *empty,
                   bytes *out, nrw_error *err) NRW_CHECKED;

#endif
