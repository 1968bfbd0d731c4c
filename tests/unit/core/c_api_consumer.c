#include "c_api_consumer.h"

edgejoule_status predict_from_c(const void* table_bytes, size_t table_size, const void* graph_bytes, size_t graph_size,
                                void* memory, size_t memory_size, edgejoule_estimate* out, size_t out_count) {
  edgejoule_table table;
  edgejoule_graph graph;
  edgejoule_plan plan;
  edgejoule_predictor predictor;
  edgejoule_predict_inputs inputs = {1.0f, EDGEJOULE_CONFIDENCE_90, 0.25f, NULL};
  edgejoule_status status = edgejoule_table_open(table_bytes, table_size, &table);
  size_t plan_bytes = 0;
  if (status == EDGEJOULE_OK) status = edgejoule_graph_open(graph_bytes, graph_size, &graph);
  if (status == EDGEJOULE_OK) {
    plan_bytes = (edgejoule_plan_required_bytes(&table) + 7) / 8 * 8;
    status = edgejoule_plan_prepare(&table, NULL, memory, plan_bytes, &plan);
  }
  if (status == EDGEJOULE_OK) {
    status = edgejoule_predictor_bind(&plan, &graph, (char*)memory + plan_bytes, memory_size - plan_bytes, &predictor);
  }
  if (status == EDGEJOULE_OK) status = edgejoule_predictor_predict(&predictor, &inputs, out, out_count);
  return status;
}

edgejoule_status estimate_from_c(const void* table_bytes, size_t table_size, void* memory, size_t memory_size,
                                 edgejoule_estimate* out) {
  edgejoule_table table;
  edgejoule_plan plan;
  edgejoule_op op;
  edgejoule_status status = edgejoule_table_open(table_bytes, table_size, &table);
  if (status == EDGEJOULE_OK) status = edgejoule_plan_prepare(&table, NULL, memory, memory_size, &plan);
  if (status != EDGEJOULE_OK) return status;
  edgejoule_op_init(&op, EDGEJOULE_OP_DENSE, EDGEJOULE_TYPE_FLOAT32);
  op.facts[EDGEJOULE_FACT_ROWS_M] = 64;
  op.facts[EDGEJOULE_FACT_DEPTH_K] = 32;
  op.facts[EDGEJOULE_FACT_COLS_N] = 16;
  return edgejoule_plan_estimate(&plan, &op, NULL, EDGEJOULE_CONFIDENCE_90, out);
}

edgejoule_status meter_from_c(edgejoule_meter_reading* out) {
  edgejoule_meter meter;
  edgejoule_power_sample sample = {0};
  edgejoule_status status = edgejoule_meter_start(NULL, &meter);
  const int64_t step = 10000000;
  int64_t i;
  if (status != EDGEJOULE_OK) return status;
  edgejoule_meter_idle_until(&meter, 0);
  for (i = 0; i < 40 && status == EDGEJOULE_OK; ++i) {
    const int busy = i % 3 != 0;
    if (busy) status = edgejoule_meter_add_work(&meter, i * step, (i + 1) * step, 0.05f, 1);
    edgejoule_meter_idle_until(&meter, (i + 1) * step);
    sample.window_begin_ns = i * step;
    sample.window_end_ns = (i + 1) * step;
    sample.cycle_ns = (uint32_t)step;
    sample.power_uw = busy ? 8000000 : 2000000;
    if (status == EDGEJOULE_OK) status = edgejoule_meter_add_sample(&meter, &sample);
  }
  edgejoule_meter_read(&meter, out);
  return status;
}
