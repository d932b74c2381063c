-- Each user has one purpose. A query may set settings (readonly = 2), up to these limits.
CREATE USER IF NOT EXISTS aurum_reader IDENTIFIED WITH sha256_password BY {reader_password:String}
    SETTINGS readonly = 2, max_execution_time = 30 MAX 60, max_memory_usage = 4000000000 MAX 4000000000;
GRANT SELECT ON aurum.observation_history TO aurum_reader;

CREATE USER IF NOT EXISTS aurum_writer IDENTIFIED WITH sha256_password BY {writer_password:String}
    SETTINGS max_execution_time = 900 MAX 3600, max_memory_usage = 8000000000 MAX 8000000000;
GRANT SELECT, INSERT, ALTER DELETE, OPTIMIZE ON aurum.observation_history TO aurum_writer;
GRANT SELECT ON system.parts TO aurum_writer;

CREATE USER IF NOT EXISTS aurum_vector IDENTIFIED WITH sha256_password BY {vector_password:String};
GRANT INSERT ON aurum.logs TO aurum_vector;
GRANT INSERT ON aurum.audit TO aurum_vector;

CREATE USER IF NOT EXISTS aurum_operator IDENTIFIED WITH sha256_password BY {operator_password:String}
    SETTINGS readonly = 2, max_execution_time = 60 MAX 600;
GRANT SELECT ON aurum.logs TO aurum_operator;
GRANT SELECT ON aurum.audit TO aurum_operator;
