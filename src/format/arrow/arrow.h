/* The face of the Arrow folder: a reader of Arrow's IPC format, files ("Feather" V2) and streams.
 * Source: Arrow's Columnar.rst (format 1.5), Message.fbs, File.fbs. */
#ifndef ARROW_ARROW_H
#define ARROW_ARROW_H

#include "format/format.h"

extern const format format_arrow;

#endif
