/* Names of parquet.thrift's enumerations. */
#include "format/parquet/meta.h"

const char *pq_encoding_name(int e)
{
    static const char *const names[] = {
        "PLAIN",          "GROUP_VAR_INT",       "PLAIN_DICTIONARY",        "RLE",
        "BIT_PACKED",     "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
        "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
    };
    return e >= 0 && (size_t)e < sizeof names / sizeof names[0] ? names[e] : "unknown encoding";
}

const char *pq_physical_name(int t)
{
    static const char *const names[] = {
        "BOOLEAN", "INT32",  "INT64",      "INT96",
        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
    };
    return t >= 0 && (size_t)t < sizeof names / sizeof names[0] ? names[t] : "unknown type";
}

const char *pq_page_type_name(int t)
{
    static const char *const names[] = {"DATA_PAGE", "INDEX_PAGE", "DICTIONARY_PAGE",
                                        "DATA_PAGE_V2"};
    return t >= 0 && (size_t)t < sizeof names / sizeof names[0] ? names[t] : "unknown page type";
}
