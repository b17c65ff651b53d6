DROP TABLE peers;
DROP TABLE decisions;
DROP TABLE download_jobs;
DROP TABLE attempts;
DROP TABLE acquisitions;
DROP TABLE batch_versions;
DROP TABLE discovery_batches;
