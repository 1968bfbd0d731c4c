// The schemas of the files that core opens, as StructureCheck reads them: fields in the
// order of their ids, tables after those that refer to them.
// tests/unit/core/structure_test.cpp compares them with the schemas' own reflection.
#pragma once

#include "structure.h"

namespace edgejoule::wire_specs {

using namespace spec;

namespace graph {
inline constexpr FieldSpec kGraph[] = {
    kShort,           // format_version
    kString,          // name
    table(1),         // source
    vector_of(2, 2),  // kinds
    vector_of(1, 1),  // classes
    vector_of(1, 1),  // data_types
    vector_of(1, 1),  // weight_types
    vector_of(4, 4),  // parents
    vector_of(1, 1),  // depths
    vector_of(1, 1),  // engines
    kStrings,         // names
    kStrings,         // type_names
    vector_of(2, 2),  // type_name_index
    vector_of(2, 2),  // fact_ids
    vector_of(8, 8),  // facts
};
inline constexpr FieldSpec kSource[] = {kString, kString, kString, kString, kStrings};
inline constexpr TableSpec kTables[] = {table_spec(kGraph), table_spec(kSource)};
}  // namespace graph

namespace coefficients {
inline constexpr FieldSpec kTable[] = {
    kShort,           // format_version
    kString,          // name
    table(1),         // boundary
    table(2),         // baseline
    table(3),         // board
    kString,          // runtime
    kString,          // backend
    tables(4),        // engines
    tables(5),        // operating_points
    vector_of(8, 4),  // statics
    tables(6),        // sensors
    table(7),         // provenance
    tables(8),        // rows
    table(11),        // op_residual
    table(11),        // module_residual
    table(11),        // model_residual
    table(11),        // op_time_residual
    table(11),        // module_time_residual
    table(11),        // model_time_residual
};
inline constexpr FieldSpec kBoundary[] = {kByte, kStrings, kString};
inline constexpr FieldSpec kBaseline[] = {kByte, kString};
inline constexpr FieldSpec kBoard[] = {kString, kString, kString};
inline constexpr FieldSpec kEngine[] = {kString, kByte, kLong, kLong, kLong, kWord};
inline constexpr FieldSpec kOperatingPoint[] = {kString, kWord, kWord, kWord, kWord, kByte};
inline constexpr FieldSpec kSensor[] = {kString, kString, kWord, kWord};
inline constexpr FieldSpec kProvenance[] = {kString, kString, kString, kString, kString, kString, kStrings};
inline constexpr FieldSpec kRow[] = {
    kByte,       // level
    kShort,      // kind
    kByte,       // op_class
    kByte,       // data_type
    kByte,       // engine
    kByte,       // operating_point
    tables(9),   // conditions
    kByte,       // form
    kWord,       // intercept
    tables(10),  // terms
    kWord,       // children_gain
    table(11),   // residual
    kString,     // reason
    kByte,       // member
    table(12),   // correction
    table(11),   // time_residual
};
inline constexpr FieldSpec kCondition[] = {kShort, kWord, kWord};
inline constexpr FieldSpec kTerm[] = {kShort, kWord, kByte, kWord, kWord, kShort, kShort, kShort, kWord, kByte};
inline constexpr FieldSpec kResidual[] = {structure(36, 4), kWord, kWord, kWord, kWord, kWord};
inline constexpr FieldSpec kCorrection[] = {vector_of(2, 2), kWord, vector_of(4, 4), vector_of(4, 4)};
inline constexpr TableSpec kTables[] = {table_spec(kTable),     table_spec(kBoundary),   table_spec(kBaseline),
                                        table_spec(kBoard),     table_spec(kEngine),     table_spec(kOperatingPoint),
                                        table_spec(kSensor),    table_spec(kProvenance), table_spec(kRow),
                                        table_spec(kCondition), table_spec(kTerm),       table_spec(kResidual),
                                        table_spec(kCorrection)};
}  // namespace coefficients

}  // namespace edgejoule::wire_specs
