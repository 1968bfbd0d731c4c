/* Functions written in C99 against edgejoule.h. */
#ifndef EDGEJOULE_TESTS_C_API_CONSUMER_H
#define EDGEJOULE_TESTS_C_API_CONSUMER_H

#include "edgejoule/edgejoule.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens, prepares, binds and predicts with 0.25 s known, all in `memory`. */
edgejoule_status predict_from_c(const void* table_bytes, size_t table_size, const void* graph_bytes, size_t graph_size,
                                void* memory, size_t memory_size, edgejoule_estimate* out, size_t out_count);

/* Prices a dense layer of 64 x 32 inputs and 16 outputs. */
edgejoule_status estimate_from_c(const void* table_bytes, size_t table_size, void* memory, size_t memory_size,
                                 edgejoule_estimate* out);

/* 40 windows of 10 ms: two busy ones at 8 W, one idle at 2 W. */
edgejoule_status meter_from_c(edgejoule_meter_reading* out);

#ifdef __cplusplus
}
#endif

#endif
