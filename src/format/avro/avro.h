/* The face of the Avro folder: a reader of object container files.
 * Source: the Avro specification, 1.12. */
#ifndef AVRO_AVRO_H
#define AVRO_AVRO_H

#include "format/format.h"

extern const format format_avro;

#endif
