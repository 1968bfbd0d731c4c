/* edgejoule's C interface: what an op, a module and a model cost in joules.
 *
 * Compiles as C99 and as C++14. Nothing here allocates, locks or prints.
 *
 * Units: joules, seconds; bytes; multiply-accumulates (1 MAC = 2 FLOP).
 * Lifetime: the caller owns everything. A table and a graph view the bytes they were
 * opened on; a plan views its table's bytes and its workspace; a predictor views its
 * plan's workspace, its graph's bytes and its own workspace. The structs themselves
 * may be copied and discarded freely. Bytes and workspaces start on an 8-byte boundary.
 * Threads: everything prepared is read-only; any number of threads may use it at once.
 * Errors: every function that can fail returns EDGEJOULE_OK or the number of an error
 * (edgejoule/core/result.h lists them; edgejoule_error_text explains). Outputs hold
 * something only on EDGEJOULE_OK.
 *
 *   edgejoule_table table;  edgejoule_plan plan;
 *   if (edgejoule_table_open(bytes, size, &table) != EDGEJOULE_OK) ...
 *   void* workspace = my_memory(edgejoule_plan_required_bytes(&table));
 *   if (edgejoule_plan_prepare(&table, NULL, workspace, workspace_size, &plan) != EDGEJOULE_OK) ...
 *   edgejoule_op op;  edgejoule_op_init(&op, EDGEJOULE_OP_DENSE, EDGEJOULE_TYPE_FLOAT32);
 *   op.facts[EDGEJOULE_FACT_ROWS_M] = 1; ...
 *   edgejoule_estimate joules;
 *   edgejoule_plan_estimate(&plan, &op, NULL, EDGEJOULE_CONFIDENCE_90, &joules);
 */
#ifndef EDGEJOULE_EDGEJOULE_H
#define EDGEJOULE_EDGEJOULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGEJOULE_VERSION_MAJOR 0
#define EDGEJOULE_VERSION_MINOR 1
#define EDGEJOULE_VERSION_PATCH 0
#define EDGEJOULE_VERSION \
  ((EDGEJOULE_VERSION_MAJOR * 10000) + (EDGEJOULE_VERSION_MINOR * 100) + EDGEJOULE_VERSION_PATCH)

/* The version of the library that was linked. */
int32_t edgejoule_version(void);

typedef int32_t edgejoule_status;
#define EDGEJOULE_OK 0

/* One English sentence; never NULL. "ok" for EDGEJOULE_OK. */
const char* edgejoule_error_text(edgejoule_status status);

/* Opaque, of fixed size, without pointers to themselves. */
typedef struct edgejoule_table {
  uint64_t opaque[2];
} edgejoule_table;
typedef struct edgejoule_plan {
  uint64_t opaque[2];
} edgejoule_plan;
typedef struct edgejoule_graph {
  uint64_t opaque[14];
} edgejoule_graph;
typedef struct edgejoule_predictor {
  uint64_t opaque[2];
} edgejoule_predictor;

/* ---- a coefficient table (.ejt) and a plan made of it -------------------------- */

edgejoule_status edgejoule_table_open(const void* bytes, size_t size, edgejoule_table* out);

typedef struct edgejoule_plan_options {
  const char* board_compatible; /* of this device; NULL: not known, nothing is flagged */
  const char* runtime;          /* likewise */
  const char* operating_point;  /* a name in the table; NULL: its first */
  int32_t require_same_board;   /* not 0: the table of another board is an error */
} edgejoule_plan_options;

size_t edgejoule_plan_required_bytes(const edgejoule_table* table);

/* options may be NULL. */
edgejoule_status edgejoule_plan_prepare(const edgejoule_table* table, const edgejoule_plan_options* options,
                                        void* workspace, size_t workspace_size, edgejoule_plan* out);

/* Static power while `engine` is busy and the others idle; negative: the table does not say. */
float edgejoule_plan_static_watts(const edgejoule_plan* plan, uint8_t engine);

/* ---- one op -------------------------------------------------------------------- */

/* Kinds, classes, data types and facts are the numbers of schemas/kinds.fbs; these are
 * the ones hooks meet most. Any other number of that file may be used as it is. */
enum {
  EDGEJOULE_OP_UNKNOWN = 0,
  EDGEJOULE_OP_CONV_2D = 1,
  EDGEJOULE_OP_DEPTHWISE_CONV_2D = 2,
  EDGEJOULE_OP_TRANSPOSE_CONV_2D = 3,
  EDGEJOULE_OP_DENSE = 7,
  EDGEJOULE_OP_BATCH_MATMUL = 8,
  EDGEJOULE_OP_ATTENTION = 9,
  EDGEJOULE_OP_LSTM = 16,
  EDGEJOULE_OP_ADD = 32,
  EDGEJOULE_OP_MUL = 34,
  EDGEJOULE_OP_RELU = 80,
  EDGEJOULE_OP_GELU = 90,
  EDGEJOULE_OP_SOFTMAX = 112,
  EDGEJOULE_OP_LAYER_NORM = 120,
  EDGEJOULE_OP_AVERAGE_POOL_2D = 160,
  EDGEJOULE_OP_MAX_POOL_2D = 161,
  EDGEJOULE_OP_RESHAPE = 192
};

enum {
  EDGEJOULE_TYPE_UNKNOWN = 0,
  EDGEJOULE_TYPE_FLOAT32 = 1,
  EDGEJOULE_TYPE_FLOAT16 = 2,
  EDGEJOULE_TYPE_BFLOAT16 = 3,
  EDGEJOULE_TYPE_INT8 = 5,
  EDGEJOULE_TYPE_UINT8 = 6,
  EDGEJOULE_TYPE_INT16 = 7,
  EDGEJOULE_TYPE_INT32 = 9
};

enum {
  EDGEJOULE_FACT_BATCH = 0,
  EDGEJOULE_FACT_IN_H = 1,
  EDGEJOULE_FACT_IN_W = 2,
  EDGEJOULE_FACT_IN_C = 3,
  EDGEJOULE_FACT_OUT_H = 4,
  EDGEJOULE_FACT_OUT_W = 5,
  EDGEJOULE_FACT_OUT_C = 6,
  EDGEJOULE_FACT_KERNEL_H = 7,
  EDGEJOULE_FACT_KERNEL_W = 8,
  EDGEJOULE_FACT_STRIDE_H = 9,
  EDGEJOULE_FACT_STRIDE_W = 10,
  EDGEJOULE_FACT_DILATION_H = 11,
  EDGEJOULE_FACT_DILATION_W = 12,
  EDGEJOULE_FACT_GROUPS = 13,
  EDGEJOULE_FACT_ROWS_M = 18,
  EDGEJOULE_FACT_COLS_N = 19,
  EDGEJOULE_FACT_DEPTH_K = 20,
  EDGEJOULE_FACT_INPUT_ELEMENTS = 32,
  EDGEJOULE_FACT_OUTPUT_ELEMENTS = 33,
  EDGEJOULE_FACT_INPUT_BYTES = 34,
  EDGEJOULE_FACT_OUTPUT_BYTES = 35,
  EDGEJOULE_FACT_WEIGHT_BYTES = 36,
  EDGEJOULE_FACT_UNIQUE_WEIGHT_BYTES = 37,
  EDGEJOULE_FACT_PARAMETERS = 38,
  EDGEJOULE_FACT_ALU_PER_INPUT = 40,
  EDGEJOULE_FACT_ALU_PER_OUTPUT = 41,
  EDGEJOULE_FACT_SPECIAL_PER_INPUT = 42,
  EDGEJOULE_FACT_SPECIAL_PER_OUTPUT = 43,
  EDGEJOULE_FACT_REPEATS = 54,
  EDGEJOULE_FACT_COUNT = 59
};

#define EDGEJOULE_ANY_ENGINE 255

typedef struct edgejoule_op {
  uint16_t kind;
  uint8_t op_class; /* 0: the class of the kind */
  uint8_t data_type;
  uint8_t engine; /* of the table, or EDGEJOULE_ANY_ENGINE */
  uint64_t facts[EDGEJOULE_FACT_COUNT];
} edgejoule_op;

/* Facts that multiply become 1, the others 0; the engine becomes any. */
void edgejoule_op_init(edgejoule_op* op, uint16_t kind, uint8_t data_type);

/* What is known only while running; negative: not known. */
typedef struct edgejoule_runtime_facts {
  float time_s;
  float counter_j;   /* of a board's own energy counter, over the op */
  float utilisation; /* 0 to 1 */
} edgejoule_runtime_facts;

enum {
  EDGEJOULE_CONFIDENCE_50 = 0,
  EDGEJOULE_CONFIDENCE_80 = 1,
  EDGEJOULE_CONFIDENCE_90 = 2,
  EDGEJOULE_CONFIDENCE_95 = 3
};

/* The rung of the ladder that priced an op. */
enum {
  EDGEJOULE_LEVEL_EXACT = 0,
  EDGEJOULE_LEVEL_OP_AND_TYPE = 1,
  EDGEJOULE_LEVEL_OP = 2,
  EDGEJOULE_LEVEL_CLASS = 3,
  EDGEJOULE_LEVEL_ROOFLINE = 4,
  EDGEJOULE_LEVEL_NONE = 255
};

/* Bits of `flags`; edgejoule/core/estimate.h says more. */
enum {
  EDGEJOULE_FLAG_FALLBACK = 1 << 0,
  EDGEJOULE_FLAG_OUTSIDE_RANGE = 1 << 1,
  EDGEJOULE_FLAG_INTERPOLATED = 1 << 2,
  EDGEJOULE_FLAG_OTHER_BOARD = 1 << 3,
  EDGEJOULE_FLAG_OTHER_RUNTIME = 1 << 4,
  EDGEJOULE_FLAG_INTERVAL_NOT_GUARANTEED = 1 << 5,
  EDGEJOULE_FLAG_STATIC_UNKNOWN = 1 << 6,
  EDGEJOULE_FLAG_UNKNOWN_OP = 1 << 7,
  EDGEJOULE_FLAG_RUNTIME_FACTS = 1 << 8,
  EDGEJOULE_FLAG_BATCH_SCALED = 1 << 9,
  EDGEJOULE_FLAG_NEGATIVE_OWN = 1 << 10,
  EDGEJOULE_FLAG_BOUND = 1 << 11,
  EDGEJOULE_FLAG_STATIC_IN_DYNAMIC = 1 << 12,
  EDGEJOULE_FLAG_INTERVAL_UNKNOWN = 1 << 13,
  EDGEJOULE_FLAG_TIME_PREDICTED = 1 << 14,
  EDGEJOULE_FLAG_TIME_INTERVAL_NOT_GUARANTEED = 1 << 15
};

typedef struct edgejoule_estimate {
  float dynamic_j;
  float own_j;    /* of one op the same; of a node without its children */
  float static_j; /* 0 with EDGEJOULE_FLAG_STATIC_UNKNOWN */
  float lower_j;  /* bounds of dynamic_j */
  float upper_j;
  uint32_t level;
  uint32_t flags;
  float time_s; /* measured, else predicted where the table knows time; negative: not known */
  float time_lower_s;
  float time_upper_s;
} edgejoule_estimate;

/* The hook path. runtime may be NULL. */
edgejoule_status edgejoule_plan_estimate(const edgejoule_plan* plan, const edgejoule_op* op,
                                         const edgejoule_runtime_facts* runtime, int32_t confidence,
                                         edgejoule_estimate* out);

/* ---- a whole model (.ejg) ------------------------------------------------------ */

#define EDGEJOULE_NO_PARENT 0xFFFFFFFFu

edgejoule_status edgejoule_graph_open(const void* bytes, size_t size, edgejoule_graph* out);
uint32_t edgejoule_graph_size(const edgejoule_graph* graph);
/* Precondition of these: node < edgejoule_graph_size(). Names are not terminated: *length bytes. */
uint32_t edgejoule_graph_parent(const edgejoule_graph* graph, uint32_t node);
uint16_t edgejoule_graph_kind(const edgejoule_graph* graph, uint32_t node);
const char* edgejoule_graph_name(const edgejoule_graph* graph, uint32_t node, size_t* length);

/* The graph's ops in the order they run, modules left out: out[n] is the node of a runtime's
 * op n where the runtime runs the file as it is (no delegate, no fusion, no control flow).
 * Returns how many there are; writes the first `count` of them. */
size_t edgejoule_graph_ops(const edgejoule_graph* graph, uint32_t* out, size_t count);

size_t edgejoule_predictor_required_bytes(const edgejoule_plan* plan, const edgejoule_graph* graph);
edgejoule_status edgejoule_predictor_bind(const edgejoule_plan* plan, const edgejoule_graph* graph, void* workspace,
                                          size_t workspace_size, edgejoule_predictor* out);

typedef struct edgejoule_predict_inputs {
  float batch_ratio; /* batch now / batch of the graph */
  int32_t confidence;
  float time_s;                            /* of one inference; negative: not known */
  const edgejoule_runtime_facts* per_node; /* NULL, or one per node */
} edgejoule_predict_inputs;

/* One estimate per node, in the graph's order; [0] is the model. inputs may be NULL:
 * the graph's batch, 90 %, nothing known of the run. */
edgejoule_status edgejoule_predictor_predict(const edgejoule_predictor* predictor,
                                             const edgejoule_predict_inputs* inputs, edgejoule_estimate* out,
                                             size_t out_count);

/* ---- what a running program really draws (edgejoule/core/meter.h) ------------------ */

typedef struct edgejoule_meter {
  uint64_t opaque[176];
} edgejoule_meter;

typedef struct edgejoule_meter_options {
  float memory_s; /* a sample counts 1/e as much after as long */
  float static_w; /* where to start, and how sure of it: one standard deviation */
  float static_doubt_w;
  float gain_doubt; /* of the gain, which starts at 1 */
} edgejoule_meter_options;

/* How a reading depends on the power before it. */
enum { EDGEJOULE_RESPONSE_BOX = 0, EDGEJOULE_RESPONSE_EXPONENTIAL = 1, EDGEJOULE_RESPONSE_UNKNOWN = 2 };

/* Bits of edgejoule_power_sample.flags that the meter heeds; edgejoule/core/power_sample.h has all. */
enum {
  EDGEJOULE_SAMPLE_CLIPPED = 1 << 2,
  EDGEJOULE_SAMPLE_MATH_OVERFLOW = 1 << 3,
  EDGEJOULE_SAMPLE_COUNTER_RESET = 1 << 9
};

/* One reading of one rail; zero what is not known, but for the window, the power and the cycle. */
typedef struct edgejoule_power_sample {
  int64_t t_mono_ns;
  int64_t window_begin_ns;
  int64_t window_end_ns;
  int64_t power_uw;
  int32_t bus_uv;
  int32_t current_ua;
  uint32_t cycle_ns;
  uint32_t sequence;
  uint16_t taps; /* of an exponential filter */
  uint16_t rail;
  uint16_t flags;
  uint8_t response;
} edgejoule_power_sample;

typedef struct edgejoule_meter_reading {
  float since_mark_j;
  float bridged_j; /* of these, where samples are missing */
  float now_w;
  uint32_t inferences;   /* since the mark */
  float per_inference_j; /* negative: none ran */
  float gain;
  float static_w;
  float gain_sigma;
  uint32_t learned; /* samples */
  uint32_t not_learned;
  int32_t stuck; /* not 0: the sensor repeats itself while the work changes */
} edgejoule_meter_reading;

/* options may be NULL: 30 s, 0 W, 5 W, 0.5. */
edgejoule_status edgejoule_meter_start(const edgejoule_meter_options* options, edgejoule_meter* out);
/* Work that ran in [begin, end), with its predicted dynamic joules. */
edgejoule_status edgejoule_meter_add_work(edgejoule_meter* meter, int64_t begin_ns, int64_t end_ns, float predicted_j,
                                          uint32_t inferences);
void edgejoule_meter_idle_until(edgejoule_meter* meter, int64_t t_ns);
edgejoule_status edgejoule_meter_add_sample(edgejoule_meter* meter, const edgejoule_power_sample* sample);
void edgejoule_meter_mark(edgejoule_meter* meter);
void edgejoule_meter_read(const edgejoule_meter* meter, edgejoule_meter_reading* out);

/* ---- markers: what ran when, from inside the process --------------------------- */

/* A ring in the caller's memory that one thread writes (a hook, below) and one reads, neither
 * waiting for the other; edgejoule/core/marker_ring.h says more. A marker that finds no room
 * is dropped, counted, and told to the reader as a gap. */
typedef struct edgejoule_markers {
  uint64_t opaque[1];
} edgejoule_markers;

/* Two markers per op; each different name once, with one byte more than its length. */
size_t edgejoule_markers_required_bytes(size_t markers, size_t name_bytes);
edgejoule_status edgejoule_markers_create(void* memory, size_t size, size_t name_bytes, edgejoule_markers* out);

enum {
  EDGEJOULE_MARKER_OP_BEGIN = 0,
  EDGEJOULE_MARKER_OP_END = 1,
  EDGEJOULE_MARKER_INFERENCE_BEGIN = 2,
  EDGEJOULE_MARKER_INFERENCE_END = 3,
  EDGEJOULE_MARKER_INNER_BEGIN = 4, /* within an op: one of a delegate's own steps */
  EDGEJOULE_MARKER_INNER_END = 5,
  EDGEJOULE_MARKER_GAP = 6 /* t_ns: of the first that was lost; node: how many were */
};

#define EDGEJOULE_NO_NODE 0xFFFFFFFFu

typedef struct edgejoule_marker {
  int64_t t_ns;
  uint32_t node; /* as the runtime counts; EDGEJOULE_NO_NODE: it does not */
  uint32_t name; /* for edgejoule_markers_name */
  uint8_t kind;
  uint8_t part; /* subgraph, chain; 255: that or a later one */
} edgejoule_marker;

/* The reader's thread. Returns how many; fewer than count: there are no more for now. */
size_t edgejoule_markers_read(const edgejoule_markers* markers, edgejoule_marker* out, size_t count);
/* Of a marker that has been read; terminated, never NULL, valid as long as the ring. */
const char* edgejoule_markers_name(const edgejoule_markers* markers, uint32_t name);
uint32_t edgejoule_markers_lost(const edgejoule_markers* markers);
uint32_t edgejoule_markers_names_lost(const edgejoule_markers* markers);

/* ---- a runtime's hooks --------------------------------------------------------- */

/* What a runtime's profiling interface reports to; edgejoule/adapters has one header per
 * runtime that does so. One hook per thread that runs a model. It writes markers, prices each
 * op as it ends, and tells when a budget of joules is spent; each of the three only on request.
 *
 * Priced are ops that are no part of another op, of part 0 (the main subgraph). An inference
 * within which no op was reported costs estimates[0], the model. */

typedef struct edgejoule_priced_op { /* an op that has just ended */
  int64_t begin_ns;
  int64_t end_ns;
  uint32_t node;       /* as the runtime counts */
  uint32_t graph_node; /* of the prediction; EDGEJOULE_NO_NODE: nothing is known of this op */
  float dynamic_j;     /* 0 where nothing is known */
  float static_j;      /* of its own time; 0 where static power is not known */
  float lower_j;       /* bounds of dynamic_j */
  float upper_j;
  uint32_t flags;    /* EDGEJOULE_FLAG_... */
  float inference_j; /* of this inference so far, dynamic and static */
} edgejoule_priced_op;

typedef struct edgejoule_priced_inference { /* an inference that has just ended */
  int64_t begin_ns;
  int64_t end_ns;
  uint32_t index; /* from 0 */
  uint32_t ops;
  uint32_t unpriced_ops; /* of these: they cost something, and it is not in dynamic_j */
  uint32_t flags;        /* of all its ops */
  float dynamic_j;
  float static_j; /* static power times the whole time */
} edgejoule_priced_inference;

typedef struct edgejoule_hook_options {
  int64_t (*clock)(void* context); /* nanoseconds, never backwards: the clock power is recorded with */
  void* clock_context;

  const edgejoule_markers* markers; /* NULL: none are written */

  /* Prices, of one of two kinds; neither: none. */
  const edgejoule_estimate* estimates; /* of edgejoule_predictor_predict, by node of the graph */
  size_t estimate_count;
  const edgejoule_plan* plan; /* prices each op when it ends, with its time: for tables that ask for it */
  const edgejoule_op* ops;    /* for the plan; by node of the graph, or as below */
  size_t op_count;
  const uint32_t* graph_nodes; /* by the runtime's node: whose price it has (edgejoule_graph_ops), or */
  size_t graph_node_count;     /* EDGEJOULE_NO_NODE. NULL: prices are by the runtime's node */
  float static_watts;          /* while an inference runs; negative: not known, then 0 is added */

  /* Called in the thread that runs the model, between its ops; each may be NULL. */
  void (*on_op)(void* context, const edgejoule_priced_op* op);
  void (*on_inference)(void* context, const edgejoule_priced_inference* inference);
  void (*on_budget)(void* context, float spent_j); /* once, when the budget is spent */
  void* context;
} edgejoule_hook_options;

/* Views what the options point to, which must outlive it. Not to be copied while in use. */
typedef struct edgejoule_hook {
  uint64_t opaque[112];
} edgejoule_hook;

/* Everything NULL, static power not known. */
void edgejoule_hook_options_init(edgejoule_hook_options* options);
/* Errors: invalid argument (no clock; estimates as well as a plan; a plan without ops). */
edgejoule_status edgejoule_hook_init(edgejoule_hook* hook, const edgejoule_hook_options* options);

/* Where the runtime numbers its ops only by their order within an inference. */
#define EDGEJOULE_NODE_IN_ORDER 0xFFFFFFFEu
#define EDGEJOULE_NO_EVENT 0xFFFFFFFFu

/* Returns what ends it: a handle, of which EDGEJOULE_HOOK_DEPTH are open at most; deeper ones
 * are counted as lost. name may be NULL; it is copied where markers are written. */
enum { EDGEJOULE_HOOK_DEPTH = 24 };
uint32_t edgejoule_hook_begin_op(edgejoule_hook* hook, const char* name, uint32_t node, uint32_t part);
uint32_t edgejoule_hook_begin_inner(edgejoule_hook* hook, const char* name, uint32_t node, uint32_t part);
/* Where the runtime does not say so by itself, the program does. Not within another one. */
uint32_t edgejoule_hook_begin_inference(edgejoule_hook* hook, const char* name);
/* What began later and has not ended, ends without a marker. EDGEJOULE_NO_EVENT: nothing. */
void edgejoule_hook_end(edgejoule_hook* hook, uint32_t handle);

/* Joules since the hook was made, or since the last edgejoule_hook_set_budget. */
float edgejoule_hook_spent(const edgejoule_hook* hook);
/* A new budget from now on, of predicted joules: dynamic, and static where it is known. From
 * the thread that runs the model. 0 or less: none. */
void edgejoule_hook_set_budget(edgejoule_hook* hook, float budget_j);
int32_t edgejoule_hook_is_over_budget(const edgejoule_hook* hook);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* EDGEJOULE_EDGEJOULE_H */
