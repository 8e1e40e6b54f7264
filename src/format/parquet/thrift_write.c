/* Compact protocol, writing: the twin of thrift.c. */
#include "format/parquet/thrift.h"

#include "base/varint.h"

thrift_out thrift_out_init(bytes *to)
{
    return (thrift_out){.to = to};
}

static nrw_status put_byte(thrift_out *o, uint8_t b, nrw_error *err)
{
    return bytes_append(o->to, &b, 1, err);
}

static nrw_status put_varint(thrift_out *o, uint64_t v, nrw_error *err)
{
    uint8_t b[VARINT_MOST];
    return bytes_append(o->to, b, varint_put(b, v), err);
}

/* The short header holds the distance from the last id in four bits. */
static nrw_status put_field(thrift_out *o, int16_t id, uint8_t type, nrw_error *err)
{
    int distance = id - o->last_id[o->depth];
    o->last_id[o->depth] = id;
    if (distance > 0 && distance <= 15)
        return put_byte(o, (uint8_t)(distance << 4 | type), err);
    TRY(put_byte(o, type, err));
    return put_varint(o, zigzag(id), err);
}

nrw_status thrift_begin(thrift_out *o, nrw_error *err)
{
    int most = (int)(sizeof o->last_id / sizeof o->last_id[0]) - 1;
    if (o->depth >= most)
        return err_set(err, NRW_E_ARG, "thrift structures nested more than %d deep", most);
    o->last_id[++o->depth] = 0;
    return NRW_OK;
}

void thrift_go_on(thrift_out *o, int16_t last_id)
{
    o->last_id[o->depth] = last_id;
}

nrw_status thrift_end(thrift_out *o, nrw_error *err)
{
    if (o->depth == 0)
        return err_set(err, NRW_E_ARG, "thrift structure closed that was not open");
    o->depth--;
    return put_byte(o, THRIFT_STOP, err);
}

nrw_status thrift_write_field_bool(thrift_out *o, int16_t id, bool v, nrw_error *err)
{
    return put_field(o, id, v ? THRIFT_TRUE : THRIFT_FALSE, err);
}

nrw_status thrift_write_field_i8(thrift_out *o, int16_t id, int8_t v, nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_I8, err));
    return put_byte(o, (uint8_t)v, err);
}

nrw_status thrift_write_field_i16(thrift_out *o, int16_t id, int16_t v, nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_I16, err));
    return put_varint(o, zigzag(v), err);
}

nrw_status thrift_write_field_i32(thrift_out *o, int16_t id, int32_t v, nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_I32, err));
    return put_varint(o, zigzag(v), err);
}

nrw_status thrift_write_field_i64(thrift_out *o, int16_t id, int64_t v, nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_I64, err));
    return put_varint(o, zigzag(v), err);
}

nrw_status thrift_write_field_binary(thrift_out *o, int16_t id, span v, nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_BINARY, err));
    return thrift_write_binary(o, v, err);
}

nrw_status thrift_write_field_string(thrift_out *o, int16_t id, const char *v, nrw_error *err)
{
    return thrift_write_field_binary(o, id, (span){(const uint8_t *)v, strlen(v)}, err);
}

nrw_status thrift_write_field_struct(thrift_out *o, int16_t id, nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_STRUCT, err));
    return thrift_begin(o, err);
}

nrw_status thrift_write_field_empty(thrift_out *o, int16_t id, nrw_error *err)
{
    TRY(thrift_write_field_struct(o, id, err));
    return thrift_end(o, err);
}

nrw_status thrift_write_field_list(thrift_out *o, int16_t id, uint8_t type, uint32_t n,
                                   nrw_error *err)
{
    TRY(put_field(o, id, THRIFT_LIST, err));
    if (n < 15)
        return put_byte(o, (uint8_t)(n << 4 | type), err);
    TRY(put_byte(o, (uint8_t)(0xf0 | type), err));
    return put_varint(o, n, err);
}

nrw_status thrift_write_bool(thrift_out *o, bool v, nrw_error *err)
{
    return put_byte(o, v ? THRIFT_TRUE : THRIFT_FALSE, err);
}

nrw_status thrift_write_i32(thrift_out *o, int32_t v, nrw_error *err)
{
    return put_varint(o, zigzag(v), err);
}

nrw_status thrift_write_i64(thrift_out *o, int64_t v, nrw_error *err)
{
    return put_varint(o, zigzag(v), err);
}

nrw_status thrift_write_binary(thrift_out *o, span v, nrw_error *err)
{
    TRY(put_varint(o, v.len, err));
    return bytes_append(o->to, v.data, v.len, err);
}
