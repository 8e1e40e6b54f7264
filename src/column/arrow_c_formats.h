/* The format strings of Arrow's C data interface that stand for one type each, and the fields of
 * that type's table in IPC. Internal to the schemas' conversion. */
#ifndef COLUMN_ARROW_C_FORMATS_H
#define COLUMN_ARROW_C_FORMATS_H

#include "column/arrow_own.h"

#include <stdint.h>

typedef struct c_format {
    const char *text;
    uint8_t id, n; /* ARROW_*, fields */
    struct {
        uint8_t bytes;
        int32_t value, initial; /* initial: where the table does not say it */
    } f[2];
} c_format;

#define INT(bits, sign)                                                                            \
    ARROW_INT, 2,                                                                                  \
    {                                                                                              \
        {4, bits, 0},                                                                              \
        {                                                                                          \
            1, sign, 0                                                                             \
        }                                                                                          \
    }
#define PLAIN(id)                                                                                  \
    id, 0,                                                                                         \
    {                                                                                              \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }
#define ONE(id, bytes, value, initial)                                                             \
    id, 1,                                                                                         \
    {                                                                                              \
        {bytes, value, initial},                                                                   \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }
#define TIME(unit, bits)                                                                           \
    ARROW_TIME, 2,                                                                                 \
    {                                                                                              \
        {2, unit, 1},                                                                              \
        {                                                                                          \
            4, bits, 32                                                                            \
        }                                                                                          \
    }

static const c_format c_formats[] = {
    {"n", PLAIN(ARROW_NULL)},
    {"b", PLAIN(ARROW_BOOL)},
    {"c", INT(8, 1)},
    {"C", INT(8, 0)},
    {"s", INT(16, 1)},
    {"S", INT(16, 0)},
    {"i", INT(32, 1)},
    {"I", INT(32, 0)},
    {"l", INT(64, 1)},
    {"L", INT(64, 0)},
    {"e", ONE(ARROW_FLOAT, 2, 0, 0)},
    {"f", ONE(ARROW_FLOAT, 2, 1, 0)},
    {"g", ONE(ARROW_FLOAT, 2, 2, 0)},
    {"z", PLAIN(ARROW_BINARY)},
    {"Z", PLAIN(ARROW_LARGE_BINARY)},
    {"vz", PLAIN(ARROW_BINARY_VIEW)},
    {"u", PLAIN(ARROW_UTF8)},
    {"U", PLAIN(ARROW_LARGE_UTF8)},
    {"vu", PLAIN(ARROW_UTF8_VIEW)},
    {"tdD", ONE(ARROW_DATE, 2, 0, 1)},
    {"tdm", ONE(ARROW_DATE, 2, 1, 1)},
    {"tts", TIME(0, 32)},
    {"ttm", TIME(1, 32)},
    {"ttu", TIME(2, 64)},
    {"ttn", TIME(3, 64)},
    {"tDs", ONE(ARROW_DURATION, 2, 0, 1)},
    {"tDm", ONE(ARROW_DURATION, 2, 1, 1)},
    {"tDu", ONE(ARROW_DURATION, 2, 2, 1)},
    {"tDn", ONE(ARROW_DURATION, 2, 3, 1)},
    {"tiM", ONE(ARROW_INTERVAL, 2, 0, 0)},
    {"tiD", ONE(ARROW_INTERVAL, 2, 1, 0)},
    {"tin", ONE(ARROW_INTERVAL, 2, 2, 0)},
    {"+l", PLAIN(ARROW_LIST)},
    {"+L", PLAIN(ARROW_LARGE_LIST)},
    {"+vl", PLAIN(ARROW_LIST_VIEW)},
    {"+vL", PLAIN(ARROW_LARGE_LIST_VIEW)},
    {"+s", PLAIN(ARROW_STRUCT)},
    {"+r", PLAIN(ARROW_RUN_ENDS)},
};

#undef INT
#undef PLAIN
#undef ONE
#undef TIME

#define C_FORMATS (sizeof c_formats / sizeof *c_formats)

/* Unions: "+ud:0,1", "+us:0,1". Timestamps: their unit, then the zone. */
static const char c_units[] = "smun";

#endif
