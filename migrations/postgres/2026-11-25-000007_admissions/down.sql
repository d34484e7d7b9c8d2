DROP TABLE refusals;
DROP TABLE admissions;
