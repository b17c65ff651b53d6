DROP TABLE operations;
DROP TABLE settings_version;
DROP TABLE settings;
DROP TABLE locks;
DROP TABLE commands;
