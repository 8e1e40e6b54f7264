/* Inside of carrying out steps: decode.c goes through them, decode_value.c reads the values that
 * are no lists, unions or structs of others. Internal to the Avro folder. */
#ifndef AVRO_DECODE_OWN_H
#define AVRO_DECODE_OWN_H

#include "format/avro/cursor.h"
#include "format/avro/program.h"

/* ---- pieces of values; NRW_END: they go on behind the end ---- */

static inline nrw_status too_long(nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "a number is longer than 10 bytes");
}

static inline nrw_status take_long(av_run *r, int64_t *x, nrw_error *err)
{
    int got;

    if (r->p < r->end && *r->p < 128) {
        uint8_t b = *r->p++;
        *x = (int64_t)(b >> 1) ^ -(int64_t)(b & 1);
        return NRW_OK;
    }
    got = av_varint(&r->p, r->end, x);
    return got > 0 ? NRW_OK : got < 0 ? too_long(err) : NRW_END;
}

static inline nrw_status take(av_run *r, int64_t len, const uint8_t **out, nrw_error *err)
{
    if (len > r->end - r->p)
        return NRW_END;
    if (len < 0)
        return err_set(err, NRW_E_CORRUPT, "a length is negative");
    *out = r->p;
    r->p += len;
    return NRW_OK;
}

#define STEP(expr)                                                                                 \
    do {                                                                                           \
        nrw_status step_st_ = (expr);                                                              \
        if (__builtin_expect(step_st_ != NRW_OK, 0))                                               \
            return step_st_;                                                                       \
    } while (0)

static inline nrw_status take_text(av_run *r, span *out, nrw_error *err)
{
    int64_t len = 0;

    STEP(take_long(r, &len, err));
    STEP(take(r, len, &out->data, err));
    out->len = (size_t)len;
    return NRW_OK;
}

/* The value of a step with one slot, which is none of nested ones'. */
nrw_status av_read_single(av_run *r, const av_step *step, nrw_error *err) NRW_CHECKED;

#endif
