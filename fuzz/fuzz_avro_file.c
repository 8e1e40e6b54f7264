/* Whole Avro files: header and schema, blocks, and what is left where they are damaged. */
#include "avro_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    avro_check(data, size);
    return 0;
}
