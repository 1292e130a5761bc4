-- The AI functions over Python functions on Arrow. The optional arguments have Snowflake's names and places, so that one
-- call text serves both. Each statement ends with a semicolon, and no literal has one.

CREATE MACRO _ai_json(given) AS CAST(to_json(given) AS VARCHAR);

-- With details the whole envelope. Without, its value, which is NULL where the row has an error. Each branch names the
-- envelope once: it stands for the call, and a call that is named twice is made twice.
CREATE MACRO _ai_shape(envelope, details) AS
    CASE WHEN details THEN CAST(envelope AS JSON) ELSE TRY_CAST(json_extract_string(envelope, '$.value') AS JSON) END;
CREATE MACRO _ai_text(envelope, details) AS
    CASE WHEN details THEN envelope ELSE json_extract_string(envelope, '$.value') END;

CREATE MACRO AI_CLASSIFY(input, categories, config := NULL, return_error_details := FALSE) AS
    _ai_shape(_ai_classify(input, _ai_json(categories), _ai_json(config)), return_error_details);

-- AI_COMPLETE gives text as Snowflake's does: prose bare, without the quotes of a JSON string.
CREATE MACRO AI_COMPLETE(
    model, prompt, model_parameters := NULL, response_format := NULL, show_details := FALSE,
    return_error_details := FALSE
) AS CASE
    WHEN show_details THEN error('AI_COMPLETE: show_details is not there in the embedded warehouse, leave it out')
    ELSE _ai_text(
        _ai_complete(model, prompt, _ai_json(model_parameters), _ai_json(response_format)), return_error_details
    )
END;

-- An aggregate is a macro over list(), which is sorted: AI_AGG promises no order, and the engine must see always the same.
CREATE MACRO AI_AGG(expr, task_description) AS
    json_extract_string(_ai_aggregate(_ai_json(list_sort(list(expr))), task_description), '$.value');
CREATE MACRO AI_SUMMARIZE_AGG(expr) AS
    json_extract_string(_ai_aggregate(_ai_json(list_sort(list(expr))), NULL), '$.value');

CREATE MACRO AI_COUNT_TOKENS
    (function_name, input) AS _ai_count_tokens(CAST(input AS VARCHAR)),
    (function_name, second, third) AS _ai_count_tokens(
        CASE WHEN typeof(third) = 'VARCHAR' THEN CAST(third AS VARCHAR) ELSE concat(second, _ai_json(third)) END
    );
