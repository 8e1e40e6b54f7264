#include "column/key.h"

#include "column/compare.h"

#include <math.h>

static const uint8_t null_mark[1] = {0}, value_mark[1] = {1};

/* One bit pattern for both zeros and one for all NaN. */
static span canonical_float(const type *t, span v, uint8_t room[8])
{
    if (t->id == TYPE_FLOAT64) {
        double d;
        memcpy(&d, v.data, sizeof d);
        d = isnan(d) ? (double)NAN : d == 0 ? 0.0 : d;
        memcpy(room, &d, sizeof d);
    } else if (t->id == TYPE_FLOAT32) {
        float f;
        memcpy(&f, v.data, sizeof f);
        f = isnan(f) ? NAN : f == 0 ? 0.0f : f;
        memcpy(room, &f, sizeof f);
    } else {
        uint16_t h;
        memcpy(&h, v.data, sizeof h);
        h = (h & 0x7fff) > 0x7c00 ? 0x7e00 : (h & 0x7fff) == 0 ? 0 : h;
        memcpy(room, &h, sizeof h);
    }
    return (span){room, v.len};
}

static bool is_float(const type *t)
{
    return t->id == TYPE_FLOAT16 || t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64;
}

bool key_is_plain(const type *t)
{
    return !is_float(t) && t->id != TYPE_INTERVAL;
}

void key_put_value(const type *t, const uint8_t *value, uint8_t *to)
{
    uint8_t room[8];

    if (is_float(t)) {
        span v = canonical_float(t, (span){value, t->width}, room);
        memcpy(to, v.data, v.len);
    } else if (t->id == TYPE_INTERVAL) {
        __int128 length = value_interval(t, value);
        memcpy(to, &length, t->width);
    } else {
        memcpy(to, value, t->width);
    }
}

nrw_status key_append(bytes *key, const vector *v, uint32_t row, nrw_error *err)
{
    uint8_t room[16]; /* of numbers that are spelt in several ways */
    uint32_t len;
    bool null;
    span value = vector_value(v, row, &null);

    if (null)
        return bytes_append(key, null_mark, 1, err);
    TRY(bytes_append(key, value_mark, 1, err));
    if (type_is_view(&v->type)) {
        len = (uint32_t)value.len;
        TRY(bytes_append(key, &len, sizeof len, err));
    } else if (!key_is_plain(&v->type)) {
        key_put_value(&v->type, value.data, room);
        value.data = room;
    }
    return bytes_append(key, value.data, value.len, err);
}
