/* What reading and writing of Arrow's schemas share: numbers of Schema.fbs, and what is said of
 * tables that do not hold. */
#ifndef COLUMN_ARROW_OWN_H
#define COLUMN_ARROW_OWN_H

#include "base/error.h"

enum {
    ARROW_HEADER_SCHEMA = 1,
    ARROW_HEADER_DICTIONARY = 2,
    ARROW_HEADER_BATCH = 3,
    ARROW_VERSION_4 = 3,
    ARROW_VERSION_5 = 4
};

/* union Type */
enum {
    ARROW_NULL = 1,
    ARROW_INT = 2,
    ARROW_FLOAT = 3,
    ARROW_BINARY = 4,
    ARROW_UTF8 = 5,
    ARROW_BOOL = 6,
    ARROW_DECIMAL = 7,
    ARROW_DATE = 8,
    ARROW_TIME = 9,
    ARROW_TIMESTAMP = 10,
    ARROW_INTERVAL = 11,
    ARROW_LIST = 12,
    ARROW_STRUCT = 13,
    ARROW_UNION = 14,
    ARROW_FIXED_BINARY = 15,
    ARROW_FIXED_LIST = 16,
    ARROW_MAP = 17,
    ARROW_DURATION = 18,
    ARROW_LARGE_BINARY = 19,
    ARROW_LARGE_UTF8 = 20,
    ARROW_LARGE_LIST = 21,
    ARROW_RUN_ENDS = 22,
    ARROW_BINARY_VIEW = 23,
    ARROW_UTF8_VIEW = 24,
    ARROW_LIST_VIEW = 25,
    ARROW_LARGE_LIST_VIEW = 26
};

/* fields of the table Field */
enum {
    ARROW_FIELD_NAME,
    ARROW_FIELD_NULLABLE,
    ARROW_FIELD_TYPE_ID,
    ARROW_FIELD_TYPE,
    ARROW_FIELD_DICTIONARY,
    ARROW_FIELD_CHILDREN,
    ARROW_FIELD_METADATA
};

/* of Message and Schema */
enum {
    ARROW_MESSAGE_VERSION,
    ARROW_MESSAGE_HEADER_ID,
    ARROW_MESSAGE_HEADER,
    ARROW_MESSAGE_BODY,
    ARROW_MESSAGE_METADATA
};
enum { ARROW_SCHEMA_ENDIANNESS, ARROW_SCHEMA_FIELDS, ARROW_SCHEMA_METADATA };

#define ARROW_EXTENSION "ARROW:extension:name"
#define ARROW_UUID      "arrow.uuid"
#define ARROW_JSON      "arrow.json"

static inline nrw_status arrow_schema_damaged(nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "the Arrow schema is damaged");
}

#define CHECK(ok)                                                                                  \
    do {                                                                                           \
        if (!(ok))                                                                                 \
            return arrow_schema_damaged(err);                                                      \
    } while (0)

#endif
